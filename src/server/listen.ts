import { InputError } from "../input_error.ts";
import { errorCode } from "../files/file_error.ts";
import type { App } from "./guards.ts";

/** Options of {@linkcode listen}. */
export interface ListenOptions {
  /** The address to listen on. */
  readonly host: string;
  /** The port; 0 for any that is free. */
  readonly port: number;
  /** Stops the server; requests in progress are finished. */
  readonly signal: AbortSignal;
  /** Timeout of the shutdown in seconds: a client may never finish its request, or never read its answer. */
  readonly grace: number;
  /** Called with the page's URL once requests are accepted. */
  readonly onListen: (url: string) => void;
  /** Called with a one-line reason if no connections are accepted for a moment. */
  readonly onPause: (reason: string) => void;
}

const PAUSE_MS = 1000;

/** Against DNS rebinding: pages of other host names cannot read images. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** Whether a server listens on all networks, so that other machines may connect. */
export function onAllNetworks(host: string): boolean {
  return ["0.0.0.0", "::"].includes(host);
}

/** Accepted host names: this machine's own, and those that are allowed. */
export function hostnamesOf(allowed: readonly string[] = []): readonly string[] {
  return [...LOOPBACK, ...allowed];
}

/**
 * Serves until the signal is aborted, then finishes the requests in progress.
 *
 * @param app Must stop accepting work on the same signal.
 * @throws {InputError} If the address cannot be listened on.
 */
export async function listen(app: App, options: ListenOptions): Promise<void> {
  const { host, signal, grace, onListen, onPause } = options;
  const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  let server = start(app, options);
  onListen(`http://${nameOf(host)}:${server.addr.port}`);
  while (!signal.aborted) {
    // Deno stops serving if accept fails, as when the process is out of file descriptors.
    const failure = await Promise.race([stopped, server.finished.catch((error: unknown) => error)]);
    if (signal.aborted) break;
    onPause(`Cannot accept connections: ${reasonOf(failure)}; all were closed, the server resumes shortly`);
    await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, PAUSE_MS))]);
    server = start(app, { host, port: server.addr.port });
  }
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, 1000 * grace);
  // A shutdown aborts uploads in progress, so wait for them first.
  await Promise.race([late, app.idle().then(() => server.shutdown())]);
  clearTimeout(timer);
}

function start(
  app: App,
  { host, port }: Pick<ListenOptions, "host" | "port">,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: host, port, onListen: () => {} }, (request) => app.fetch(request));
  } catch (error) {
    throw new InputError(`Cannot listen on ${host}, port ${port}: ${reasonOf(error)}`, { cause: error });
  }
}

function nameOf(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    return "--host must be 127.0.0.1, localhost, ::1, or for all networks of this machine 0.0.0.0 or ::";
  }
  if (error instanceof Deno.errors.AddrInUse) return "the port is in use; give another --port";
  if (error instanceof Deno.errors.PermissionDenied) return "the port is privileged; give a --port over 1023";
  if (error instanceof Deno.errors.AddrNotAvailable) return "this machine has no such address; give another --host";
  return `${error instanceof Error ? error.message : String(error)} ${errorCode(error)}`.trim();
}
