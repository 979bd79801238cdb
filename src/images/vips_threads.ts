/**
 * Threads of libvips, as Workers of the main thread. Emscripten would start them as Workers of the decode Worker, which
 * takes Deno a second each, instead of 30 milliseconds.
 *
 * @module
 */

/** What a thread is started with. */
export interface ThreadStart {
  /** Its end of the channel to the decode Worker. */
  readonly port: MessagePort;
  /** URL of the loader of libvips, which runs as a thread by the Worker's name. */
  readonly script: string;
}

/** Starts a thread. */
export function startThread(start: ThreadStart): Worker {
  const url = new URL("./vips_thread_worker.ts", import.meta.url);
  const thread = new Worker(url, { type: "module", name: "em-pthread" });
  // The decode Worker reports what is wrong with an image.
  thread.addEventListener("error", (event) => event.preventDefault());
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
