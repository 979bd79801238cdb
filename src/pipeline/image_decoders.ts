/**
 * Decoding of image files on all cores.
 *
 * @module
 */

import type { RgbImage } from "./decode_image.ts";
import type { DecodeAnswer } from "./decode_worker.ts";
import { ImageError } from "./image_error.ts";

/** Options of {@linkcode ImageDecoders}. */
export interface ImageDecodersOptions {
  /**
   * The most Workers. They are started as work comes in.
   *
   * @default {navigator.hardwareConcurrency}
   */
  count?: number;
  /**
   * Starts a Worker that answers a path with a {@linkcode DecodeAnswer}.
   *
   * @default {one that runs decode_worker.ts}
   */
  newWorker?: () => Worker;
}

interface Job {
  readonly path: string;
  readonly resolve: (image: RgbImage) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A pool of Workers that read and decode image files. Each has one image at a time, so no more pictures than Workers
 * are on their way; paths that wait for one take no more than their own memory.
 */
export class ImageDecoders implements Disposable {
  /** The most Workers, and so the most images decoded at once. */
  readonly count: number;
  readonly #newWorker: () => Worker;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Job>();
  readonly #waiting: Job[] = [];
  #closed = false;

  /**
   * Starts nothing yet.
   *
   * @param options See {@linkcode ImageDecodersOptions}.
   * @throws {RangeError} If the count is not a positive integer.
   */
  constructor(options: ImageDecodersOptions = {}) {
    const { count = navigator.hardwareConcurrency, newWorker = startDecodeWorker } = options;
    if (!Number.isInteger(count) || count < 1) {
      throw new RangeError(`Cannot decode images: the number of Workers must be a positive integer, got ${count}`);
    }
    this.count = count;
    this.#newWorker = newWorker;
  }

  /**
   * Reads and decodes an image file in a Worker.
   *
   * @param path The file.
   * @returns The picture.
   * @throws {ImageError} If the file cannot be read or decoded, or its Worker died of it; the message holds the path.
   * @throws {DOMException} `AbortError` if the pool is closed before the picture is there.
   */
  decode(path: string): Promise<RgbImage> {
    if (this.#closed) return Promise.reject(closedError(path));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ path, resolve, reject });
      this.#next();
    });
  }

  /** Ends the Workers. What they were to decode is rejected. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const worker of [...this.#idle.splice(0), ...this.#busy.keys()]) worker.terminate();
    const jobs = [...this.#busy.values(), ...this.#waiting.splice(0)];
    this.#busy.clear();
    for (const { path, reject } of jobs) reject(closedError(path));
  }

  #next(): void {
    if (this.#idle.length === 0 && this.#busy.size === this.count) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    const worker = this.#idle.pop() ?? this.#start();
    this.#busy.set(worker, job);
    worker.postMessage(job.path);
  }

  #start(): Worker {
    const worker = this.#newWorker();
    worker.addEventListener("message", (event: MessageEvent<DecodeAnswer>) => {
      const job = this.#finish(worker);
      if (job === undefined) return;
      this.#idle.push(worker);
      const answer = event.data;
      if ("image" in answer) job.resolve(answer.image);
      else job.reject(new ImageError(answer.reason, job.path));
      this.#next();
    });
    worker.addEventListener("error", (event) => {
      // Unhandled, the event would end the program.
      event.preventDefault();
      worker.terminate();
      const job = this.#finish(worker);
      // Work begins only with a message; a Worker that fails before any is one that cannot start.
      job?.reject(new ImageError(`its decoder failed: ${event.message.replaceAll(/\s+/g, " ")}`, job.path));
      this.#next();
    });
    return worker;
  }

  #finish(worker: Worker): Job | undefined {
    const job = this.#busy.get(worker);
    this.#busy.delete(worker);
    return job;
  }
}

function startDecodeWorker(): Worker {
  return new Worker(new URL("./decode_worker.ts", import.meta.url), { type: "module" });
}

function closedError(path: string): DOMException {
  return new DOMException(`Cannot decode image '${path}': the decoders are closed`, "AbortError");
}
