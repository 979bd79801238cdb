/**
 * Serving on a port.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import { errorCode } from "../files/file_error.ts";
import type { App } from "./app.ts";

/** Options of {@linkcode listen}. */
export interface ListenOptions {
  /** The address to listen on. */
  readonly host: string;
  /** The port; 0 for any that is free. */
  readonly port: number;
  /** Ends it: what has begun is finished. */
  readonly signal: AbortSignal;
  /** Seconds that this may take: a client may never send what it began, or read its answer. */
  readonly grace: number;
  /** Told the page's address once requests are taken. */
  readonly onListen: (url: string) => void;
  /** Told, in a line, why no connections are taken for a moment. */
  readonly onPause: (reason: string) => void;
}

const PAUSE_MS = 1000;

/** What keeps pages of other names, which a browser was led to believe lie here, from reading images. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/**
 * The names by which a server on an address may be called.
 *
 * @param host The address it listens on.
 * @returns Those of this machine, or undefined for any where others may call.
 */
export function hostnamesOf(host: string): readonly string[] | undefined {
  return ["0.0.0.0", "::"].includes(host) ? undefined : LOOPBACK;
}

/**
 * Serves until the signal is aborted, then finishes what has begun.
 *
 * @param app What answers; told by the same signal that it begins nothing more.
 * @param options See {@linkcode ListenOptions}.
 * @throws {InputError} If the address cannot be listened on.
 */
export async function listen(app: App, options: ListenOptions): Promise<void> {
  const { host, signal, grace, onListen, onPause } = options;
  const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  let server = start(app, options);
  onListen(`http://${nameOf(host)}:${server.addr.port}`);
  while (!signal.aborted) {
    // Deno stops serving when no connection can be taken, as where the system has no more for this process.
    const failure = await Promise.race([stopped, server.finished.catch((error: unknown) => error)]);
    if (signal.aborted) break;
    onPause(`Cannot take connections: ${reasonOf(failure)}; all were closed, new ones are taken soon`);
    await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, PAUSE_MS))]);
    server = start(app, { host, port: server.addr.port });
  }
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, 1000 * grace);
  // A shutdown ends uploads that are under way, so these come first.
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
    return "the task may use 127.0.0.1, localhost, ::1, and 0.0.0.0 or :: for all networks of this machine";
  }
  if (error instanceof Deno.errors.AddrInUse) return "another program uses it; give another one by --port";
  if (error instanceof Deno.errors.PermissionDenied) return "the system keeps it for itself; give a --port over 1023";
  if (error instanceof Deno.errors.AddrNotAvailable) return "this machine has no such address; give another --host";
  return `${error instanceof Error ? error.message : String(error)} ${errorCode(error)}`.trim();
}
