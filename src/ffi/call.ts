import { checkStatus, EngineError, MESSAGE_CAPACITY, STATUS } from "./status.ts";

type Call = (message: Uint8Array<ArrayBuffer>) => Promise<number>;
type Creation = (status: Int32Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>) => Promise<Deno.PointerValue>;

/** Throws the error that a call reports. Each call has its own message buffer, because calls run at the same time. */
async function run(action: string, call: Call): Promise<void> {
  const message = new Uint8Array(MESSAGE_CAPACITY);
  checkStatus(action, await call(message), message);
}

/**
 * Makes a call that creates a native object, and throws the error that it reports.
 *
 * @param action For the message: "Cannot " + action.
 * @returns The object, to be freed.
 */
export async function create(action: string, call: Creation): Promise<Deno.PointerObject> {
  const status = new Int32Array(1);
  const message = new Uint8Array(MESSAGE_CAPACITY);
  const pointer = await call(status, message);
  checkStatus(action, status[0] ?? STATUS.INTERNAL, message);
  if (pointer === null) throw new EngineError("INTERNAL", `Cannot ${action}: the library returned nothing`);
  return pointer;
}

/**
 * A native object. It is freed once it has been disposed and the calls that use it have ended: a nonblocking call may
 * not have started yet.
 */
export class Handle implements Disposable {
  readonly #name: string;
  readonly #pointer: Deno.PointerObject;
  readonly #free: (pointer: Deno.PointerObject) => void;
  #calls = 0;
  #disposed = false;

  /** Takes ownership of a pointer; `name` is for messages. */
  constructor(name: string, pointer: Deno.PointerObject, free: (pointer: Deno.PointerObject) => void) {
    this.#name = name;
    this.#pointer = pointer;
    this.#free = free;
  }

  /** The native object, for plain calls. */
  get pointer(): Deno.PointerObject {
    if (this.#disposed) throw new TypeError(`Cannot use the ${this.#name}: it is disposed`);
    return this.#pointer;
  }

  /** Makes a nonblocking call; the object outlives it. */
  async use<T>(call: (pointer: Deno.PointerObject) => Promise<T>): Promise<T> {
    const pointer = this.pointer;
    this.#calls++;
    try {
      return await call(pointer);
    } finally {
      this.#calls--;
      this.#freeUnused();
    }
  }

  /** Makes a nonblocking call and throws the error that it reports. */
  run(
    action: string,
    call: (pointer: Deno.PointerObject, message: Uint8Array<ArrayBuffer>) => Promise<number>,
  ): Promise<void> {
    return this.use((pointer) => run(action, (message) => call(pointer, message)));
  }

  /** Frees the object now or after its last call. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#freeUnused();
  }

  #freeUnused(): void {
    if (this.#disposed && this.#calls === 0) this.#free(this.#pointer);
  }
}
