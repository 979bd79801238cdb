// A thread of libvips: the loader of libvips, with the decode Worker at the other end of its messages.

/** What a thread is started with. */
export interface ThreadStart {
  /** Its end of the channel to the decode Worker. */
  readonly port: MessagePort;
  /** URL of the loader of libvips, which runs as a thread by the Worker's name. */
  readonly script: string;
}

// Deno's type checker assumes a main thread.
const worker = globalThis as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown, transfer?: Transferable[]): void;
};

addEventListener("message", async (event) => {
  const { port, script }: ThreadStart = (event as MessageEvent).data;
  worker.postMessage = (message, transfer = []) => port.postMessage(message, transfer);
  await import(script);
  port.onmessage = (event) => worker.onmessage?.(event);
}, { once: true });
