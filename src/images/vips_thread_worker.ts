// A thread of libvips: the loader of libvips, with the decode Worker at the other end of its messages.

import type { ThreadStart } from "./vips_threads.ts";

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
