// A server of one file on this machine, that fails as servers do.

import { createHash } from "node:crypto";

/** The file that is served. */
export const WEIGHTS: Uint8Array<ArrayBuffer> = Uint8Array.from(
  { length: 300_000 },
  (_, index) => (index * 2654435761) >>> 13,
);

/** Its SHA-256. */
export const DIGEST: string = createHash("sha256").update(WEIGHTS).digest("hex");

/** Its name, with the digits that are checked. */
export const FILE_NAME = `weights-${DIGEST.slice(0, 8)}.pth`;

/** For `Deno.test`: whether tests may use the network of this machine. */
export const canServe: boolean = (await Deno.permissions.query({ name: "net", host: "127.0.0.1" })).state === "granted";

/** A running server: stop it with `await using`. */
export interface WeightsServer extends AsyncDisposable {
  /** The address of its folder. */
  readonly origin: string;
  /** The `Range` headers of the requests so far; null if there was none. */
  readonly ranges: (string | null)[];
}

/** Gives an answer to the request of a given number. */
export type Answer = (request: Request, count: number) => Response | Promise<Response>;

/** Starts a server. */
export function startServer(answer: Answer): WeightsServer {
  const ranges: (string | null)[] = [];
  const stop = new AbortController();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: () => {} }, (request) => {
    ranges.push(request.headers.get("range"));
    return answer(request, ranges.length);
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}/models/`,
    ranges,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
}

/** A server that breaks connections off: stop it with `await using`. */
export interface BreakingServer extends AsyncDisposable {
  /** The address of its folder. */
  readonly origin: string;
  /** How many connections have been made. */
  connections(): number;
}

/** Starts a server that breaks off its first connections before any answer, and then gives the file. */
export function startBreakingServer(breaks: number): BreakingServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${WEIGHTS.length}\r\nconnection: close\r\n\r\n`;
  let count = 0;
  async function serve(): Promise<void> {
    for await (const connection of listener) {
      if (++count <= breaks) {
        connection.close();
        continue;
      }
      await connection.read(new Uint8Array(4096));
      await new Blob([head, WEIGHTS]).stream().pipeTo(connection.writable);
    }
  }
  const serving = serve();
  return {
    origin: `http://127.0.0.1:${listener.addr.port}/models/`,
    connections: () => count,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

/** Answers with the file, or the requested range of it. */
export function whole(request: Request): Response {
  const start = rangeStart(request);
  if (start === 0) return new Response(WEIGHTS);
  return partial(WEIGHTS.subarray(start), `bytes ${start}-${WEIGHTS.length - 1}/${WEIGHTS.length}`);
}

/** The answer to a `Range` header. */
export function partial(bytes: Uint8Array<ArrayBuffer>, contentRange: string): Response {
  return new Response(bytes, { status: 206, headers: { "content-range": contentRange } });
}

/** Answers likewise, but sends only some of the bytes that it promises; then it breaks off, or sends nothing any more. */
export function some(request: Request, bytes: number, { stalls = false } = {}): Response {
  const start = rangeStart(request);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(WEIGHTS.subarray(start, start + bytes));
      if (stalls) return await new Promise<void>(() => {});
      // Broken off at once, the bytes would be lost on their way.
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.close();
    },
  });
  const headers: Record<string, string> = { "content-length": `${WEIGHTS.length - start}` };
  if (start > 0) headers["content-range"] = `bytes ${start}-${WEIGHTS.length - 1}/${WEIGHTS.length}`;
  return new Response(body, { status: start > 0 ? 206 : 200, headers });
}

function rangeStart(request: Request): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
}
