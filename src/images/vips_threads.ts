/**
 * Threads of libvips, as Workers of the main thread. Emscripten would start them as Workers of the decode Worker, which
 * takes Deno a second each, instead of 30 milliseconds.
 *
 * @module
 */

import type { ThreadStart } from "./vips_thread_worker.ts";

/**
 * Starts a thread.
 *
 * @param onError Is told what it threw; the decode Worker would wait for it for ever.
 */
export function startThread(start: ThreadStart, onError: (message: string) => void): Worker {
  const url = new URL("./vips_thread_worker.ts", import.meta.url);
  const thread = new Worker(url, { type: "module", name: "em-pthread" });
  thread.addEventListener("error", (event) => {
    event.preventDefault();
    onError(event.message);
  });
  thread.postMessage(start, [start.port]);
  return thread;
}

/**
 * Has this Worker's libvips start its threads through the main thread.
 *
 * @param start Asks the main thread to start one.
 */
export function startThreadsBy(start: (port: MessagePort) => void): void {
  globalThis.Worker = class extends EventTarget {
    readonly #port: MessagePort;
    onmessage: ((event: MessageEvent) => void) | null = null;
    onerror = null;
    onmessageerror = null;

    constructor() {
      super();
      const { port1, port2 } = new MessageChannel();
      this.#port = port1;
      port1.onmessage = (event) => this.onmessage?.(event);
      start(port2);
    }

    postMessage(message: unknown, transfer?: Transferable[] | StructuredSerializeOptions): void {
      this.#port.postMessage(message, Array.isArray(transfer) ? { transfer } : transfer);
    }

    terminate(): void {
      this.#port.close();
    }
  };
}
