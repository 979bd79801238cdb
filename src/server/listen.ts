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
}

/** What keeps pages of other names, which a browser was led to believe lie here, from reading photographs. */
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
 * @param app What answers.
 * @param options See {@linkcode ListenOptions}.
 * @throws {InputError} If the address cannot be listened on.
 */
export async function listen(app: App, options: ListenOptions): Promise<void> {
  const { signal, grace } = options;
  const server = start(app, options);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, 1000 * grace);
  await Promise.race([late, server.shutdown().then(() => app.idle())]);
  clearTimeout(timer);
}

function start(app: App, { host, port, onListen }: ListenOptions): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({
      hostname: host,
      port,
      onListen: (address) => onListen(`http://${nameOf(host)}:${address.port}`),
    }, (request) => app.fetch(request));
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
