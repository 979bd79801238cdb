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
  /** How many requests there were so far. */
  requests(): number;
}

/** Gives an answer to the request of a given number. */
export type Answer = (request: Request, count: number) => Response | Promise<Response>;

/** Starts a server. */
export function startServer(answer: Answer): WeightsServer {
  let requests = 0;
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: () => {} },
    (request) => answer(request, ++requests),
  );
  return {
    origin: `http://127.0.0.1:${server.addr.port}/models/`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
}

/** A server that closes every connection before any answer: stop it with `await using`. */
export function startClosingServer(): AsyncDisposable & { readonly origin: string } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  async function serve(): Promise<void> {
    for await (const connection of listener) connection.close();
  }
  const serving = serve();
  return {
    origin: `http://127.0.0.1:${listener.addr.port}/models/`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

/** Answers with the file. */
export function whole(): Response {
  return new Response(WEIGHTS);
}

/** Promises the whole file, but sends only some of its bytes; then it closes the connection, or sends nothing any more. */
export function some(bytes: number, { stalls = false } = {}): Response {
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(WEIGHTS.subarray(0, bytes));
      if (stalls) return await new Promise<void>(() => {});
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-length": `${WEIGHTS.length}` } });
}

/** A server with a certificate that nobody has signed: stop it with `await using`. */
export function startUntrustedServer(): AsyncDisposable & { readonly origin: string } {
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: () => {}, cert: CERTIFICATE, key: KEY },
    () => new Response(),
  );
  return {
    origin: `https://localhost:${server.addr.port}/`,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
}

/** Of `localhost`, for tests only: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes`. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBlDCCATmgAwIBAgIUMx5Q7v22Ue1Wu6LnPcMqV8Bd++UwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MB4XDTI2MTIwMTA1NTAwOFoXDTM2MTEyODA1
NTAwOFowFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAED55uSvb33waRIZXmGDb7XHaOdErXYn6bBx/msNmDHz9LpXIV6zorYt98
Ql25jIjcNpw07P+JiA4IKCjD3G5bp6NpMGcwHQYDVR0OBBYEFPYn0PxCeztC8aTn
UrdhAufNwsgkMB8GA1UdIwQYMBaAFPYn0PxCeztC8aTnUrdhAufNwsgkMA8GA1Ud
EwEB/wQFMAMBAf8wFAYDVR0RBA0wC4IJbG9jYWxob3N0MAoGCCqGSM49BAMCA0kA
MEYCIQCjO5XOumAWQFmPr/iNmj/8CtNwnSh1AuBeSQ0Gk50kFQIhALVMrdHnmHjv
1UncaPIzVOGfEzEXtM/glIPyXU4kh2OD
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbEA5biLmKja6y+if
kcwN7M3bU7e24ZRwtl+LyZmhIByhRANCAAQPnm5K9vffBpEhleYYNvtcdo50Stdi
fpsHH+aw2YMfP0ulchXrOiti33xCXbmMiNw2nDTs/4mIDggoKMPcblun
-----END PRIVATE KEY-----
`;
