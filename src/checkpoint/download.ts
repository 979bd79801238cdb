/**
 * One HTTP transfer of a file, or of what is missing of it.
 *
 * @module
 */

/** A transfer failed; the message is a reason on one line, without the address. */
export class TransferError extends Error {
  /** The class's name, so that it survives bundling. */
  override readonly name = "TransferError";
  /** Whether the server has answered, and would answer so again. */
  readonly isFinal: boolean;

  /**
   * Makes the error.
   *
   * @param message The reason.
   * @param options Whether it is final, and the error behind it.
   */
  constructor(message: string, options: ErrorOptions & { readonly isFinal: boolean }) {
    super(message, options);
    this.isFinal = options.isFinal;
  }
}

/** Options of {@linkcode requestRest}. */
export interface RequestRestOptions {
  /** Milliseconds after which a server that sends no byte has stalled. */
  readonly stallTimeout: number;
  /** Ends the transfer. */
  readonly signal: AbortSignal | undefined;
}

/** A piece of a file. */
export interface TransferredChunk {
  /** Its bytes. */
  readonly chunk: Uint8Array;
  /** Its place in the file: smaller than what is there where the server begins anew. */
  readonly start: number;
  /** The whole file's bytes, or 0 where the server does not say it. */
  readonly total: number;
}

const PARTIAL = 206;
const RANGE_NOT_SATISFIABLE = 416;

/**
 * Asks for a file from a byte on. A server that cannot go on from there gives it from the start.
 *
 * @param url Its address.
 * @param done How many bytes are there.
 * @param options See {@linkcode RequestRestOptions}.
 * @returns The pieces as they come, in order and without gaps.
 * @throws {TransferError} The server cannot be reached, answers with an error, stalls or breaks off.
 * @throws {Deno.errors.NotCapable} The network may not be used.
 */
export async function* requestRest(
  url: string,
  done: number,
  options: RequestRestOptions,
): AsyncGenerator<TransferredChunk> {
  using watch = new Watch(options);
  const { body, start, total } = await watch.over(request(url, done, watch.signal));
  const reader = body.getReader();
  try {
    for (let place = start;;) {
      const { value: chunk } = await watch.over(reader.read().catch((cause) => Promise.reject(brokenOff(cause))));
      if (chunk === undefined) {
        if (place < total) throw brokenOff();
        return;
      }
      yield { chunk, start: place, total };
      place += chunk.byteLength;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Ends what takes too long, and what the user ends. */
class Watch implements Disposable {
  readonly #options: RequestRestOptions;
  readonly #controller = new AbortController();
  readonly #end = Promise.withResolvers<never>();
  readonly #abort = () => this.#stop(this.#options.signal?.reason);

  constructor(options: RequestRestOptions) {
    this.#options = options;
    this.#end.promise.catch(() => {});
    options.signal?.addEventListener("abort", this.#abort);
    if (options.signal?.aborted) this.#abort();
  }

  /** For the request. A body that is being read does not always heed it, and then would wait for ever. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async over<T>(operation: Promise<T>): Promise<T> {
    const { stallTimeout } = this.#options;
    const reason = `the server has sent nothing for ${stallTimeout / 1000} seconds`;
    const timer = setTimeout(() => this.#stop(new TransferError(reason, { isFinal: false })), stallTimeout);
    try {
      return await Promise.race([this.#end.promise, operation]);
    } finally {
      clearTimeout(timer);
    }
  }

  #stop(reason: unknown): void {
    // First, since what is being waited for fails at once where it heeds the signal.
    this.#end.reject(reason);
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#options.signal?.removeEventListener("abort", this.#abort);
  }
}

function brokenOff(cause?: unknown): TransferError {
  return new TransferError("the server broke off", { isFinal: false, cause });
}

interface Transfer {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly start: number;
  readonly total: number;
}

async function request(url: string, done: number, signal: AbortSignal): Promise<Transfer> {
  const response = await send(url, done, signal);
  const { status, body, headers } = response;
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
  if (done > 0 && status === PARTIAL && body !== null && Number(range?.[1]) === done) {
    return { body, start: done, total: Number(range?.[2]) || 0 };
  }
  if (status === 200 && body !== null) return { body, start: 0, total: Number(headers.get("content-length")) || 0 };
  await body?.cancel();
  if (done > 0 && (status === RANGE_NOT_SATISFIABLE || status === PARTIAL)) return await request(url, 0, signal);
  throw new TransferError(`the server answers with status ${status}`, { isFinal: status < 500 });
}

async function send(url: string, done: number, signal: AbortSignal): Promise<Response> {
  // Bytes are counted and added up, so they must come as they are in the file.
  const headers = { "accept-encoding": "identity", ...(done > 0 && { range: `bytes=${done}-` }) };
  try {
    return await fetch(url, { headers, signal });
  } catch (error) {
    throw error instanceof TypeError
      ? new TransferError(networkReason(error), { isFinal: false, cause: error })
      : error;
  }
}

function networkReason({ message, cause }: TypeError): string {
  const words = cause instanceof Error ? cause.message : message;
  if (/dns error/i.test(words)) return "the server's name cannot be found, check the network";
  if (/connection refused/i.test(words)) return "the server refuses the connection, check the network";
  // What stands before is the address.
  return `the network fails: ${words.replace(/^.*?\): /s, "").replaceAll(/\s+/g, " ")}`;
}
