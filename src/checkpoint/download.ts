/** A transfer failed; the message is the reason on one line, without the URL. */
export class TransferError extends Error {
  override readonly name = "TransferError";
  /** The server's answer is final: retrying is useless. */
  readonly isFinal: boolean;

  constructor(message: string, options: ErrorOptions & { readonly isFinal: boolean }) {
    super(message, options);
    this.isFinal = options.isFinal;
  }
}

export interface RequestRestOptions {
  /** Milliseconds without a byte after which the server counts as stalled. */
  readonly stallTimeout: number;
  /** Aborts the transfer. */
  readonly signal: AbortSignal | undefined;
}

/** A piece of a file. */
export interface TransferredChunk {
  readonly chunk: Uint8Array;
  /** Its offset in the file; less than `done` if the server starts over. */
  readonly start: number;
  /** Size of the whole file in bytes, or 0 if the server does not say. */
  readonly total: number;
}

const PARTIAL = 206;
const RANGE_NOT_SATISFIABLE = 416;

/**
 * Downloads a file from byte `done` on. A server that cannot resume sends it from the start. Chunks arrive in order and
 * without gaps.
 *
 * @throws {TransferError} If the server is unreachable, answers with an error, stalls or disconnects.
 * @throws {Deno.errors.NotCapable} If network access is not allowed.
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
    for (let offset = start;;) {
      const { value: chunk } = await watch.over(reader.read().catch((cause) => Promise.reject(disconnected(cause))));
      if (chunk === undefined) {
        if (offset < total) throw disconnected();
        return;
      }
      yield { chunk, start: offset, total };
      offset += chunk.byteLength;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Ends stalled and aborted operations. */
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

  /** For the request only: reading a body sometimes ignores the signal, and would then wait forever. */
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
    // Rejected first, since an operation that obeys the signal fails at once.
    this.#end.reject(reason);
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#options.signal?.removeEventListener("abort", this.#abort);
  }
}

function disconnected(cause?: unknown): TransferError {
  return new TransferError("the server closed the connection early", { isFinal: false, cause });
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
  // Bytes are counted, so they must not be compressed.
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
  // The text before is the URL.
  return `the network failed: ${words.replace(/^.*?\): /s, "").replaceAll(/\s+/g, " ")}`;
}
