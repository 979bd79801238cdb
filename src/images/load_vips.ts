/**
 * Loads libvips as WebAssembly (the package `wasm-vips`).
 *
 * Deno would take the package's build for Node, whose threads disturb the other Workers of a process (their messages get
 * lost). Its build for browsers does not, but the package names it to browsers only. So its text is read from beside the
 * WebAssembly file and imported as a blob.
 *
 * @module
 */

import type Vips from "wasm-vips";
import type { ThreadStart } from "./vips_thread_worker.ts";
import { vipsModule, vipsUrl } from "./vips_wasm.js";

export type Libvips = typeof Vips;
export type VipsImage = Vips.Image;

/** The loader starts at least 6 threads. One image needs 2 or 3, and each is a Worker of its own. */
const THREADS = "navigator.hardwareConcurrency>6?navigator.hardwareConcurrency:6";

/** Has the main thread start a thread. */
export type StartThread = (start: ThreadStart) => void;

const loaded = new Map<boolean, Promise<Libvips>>();

/**
 * Loads libvips on first use. Call it in a Worker only: it blocks while it waits for its threads, which are Workers too.
 *
 * @param avif Load the decoder of AVIF as well, 4 MB of WebAssembly.
 * @param startThread Has the main thread start a thread.
 */
export async function loadVips(avif: boolean, startThread: StartThread): Promise<Libvips> {
  const vips = loaded.get(avif) ?? instantiate(avif ? ["vips-heif.wasm"] : [], startThread);
  loaded.set(avif, vips);
  return await vips;
}

/** Ends the threads. Without it they would outlive their Worker, with all its memory. */
export async function closeVips(): Promise<void> {
  for (const loading of loaded.values()) (await loading).shutdown();
}

async function instantiate(dynamicLibraries: string[], startThread: StartThread): Promise<Libvips> {
  const text = await Deno.readTextFile(new URL("vips-es6.js", vipsUrl));
  const script = text.replaceAll(THREADS, "2");
  if (script === text) throw new Error("Cannot load libvips: its loader is of another version");
  const url = URL.createObjectURL(new Blob([script], { type: "application/javascript" }));
  const { default: load }: { default: Libvips } = await import(url);
  startThreadsBy((port) => startThread({ port, script: url }));
  const vips = await load({
    dynamicLibraries,
    mainScriptUrlOrBlob: url,
    locateFile: (name) => new URL(name, vipsUrl).href,
    instantiateWasm(imports, receive) {
      const instance = new WebAssembly.Instance(vipsModule, imports);
      receive(instance, vipsModule);
      return instance.exports;
    },
    print: () => {},
    // What it warns of it also throws, or Pillow accepts it too.
    printErr: () => {},
  });
  // An image is decoded once, so a cache only holds memory.
  vips.Cache.max(0);
  // Only loaders that are tested against hostile files.
  vips.blockUntrusted(true);
  return vips;
}

/**
 * Has this Worker's libvips start its threads through the main thread. Emscripten would start them as Workers of this
 * Worker, which takes Deno a second each, instead of 30 milliseconds.
 *
 * @param start Asks the main thread to start one.
 */
function startThreadsBy(start: (port: MessagePort) => void): void {
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
