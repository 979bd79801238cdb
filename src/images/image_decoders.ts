/**
 * Decoding of image files on all cores.
 *
 * @module
 */

import type { DecodeImageOptions, RgbImage } from "./rgb_image.ts";
import type { DecodeAnswer, DecodeRequest } from "./decode_worker.ts";
import { ImageError } from "./image_error.ts";
import { type ImageBytes, type ImageFile, imagePath } from "./image_file.ts";

/** Options of {@linkcode ImageDecoders}. */
export interface ImageDecodersOptions {
  /**
   * The most Workers. They are started as work comes in.
   *
   * @default {navigator.hardwareConcurrency}
   */
  count?: number;
  /**
   * The time that one image may take, in milliseconds.
   *
   * @default {10_000}
   */
  timeLimit?: number;
  /**
   * Starts a Worker that answers a {@linkcode DecodeRequest} with a {@linkcode DecodeAnswer}.
   *
   * @default {one that runs decode_worker.ts}
   */
  newWorker?: () => Worker;
}

interface Job {
  readonly file: ImageFile | ImageBytes;
  readonly options: DecodeImageOptions;
  /** Bytes set aside for it. */
  memory: number;
  readonly resolve: (image: RgbImage) => void;
  readonly reject: (error: unknown) => void;
  timer?: ReturnType<typeof setTimeout>;
}

/** Memory that images decoded at the same time share; a larger image is decoded alone. */
const SHARED_MEMORY = 350e6;
/** Set aside for an image before its header is read: enough for an image of two megapixels. */
const FIRST_MEMORY = 16e6;
/** A Worker that used more is ended, which alone gives its memory back at once. */
const KEPT_MEMORY = 64e6;
/** Deno lets a Worker's WebAssembly run this long after it was to end, in milliseconds; until then it has its memory. */
const TERMINATION_TIME = 2500;

/**
 * A pool of Workers that decode images, and read those in files. Each has one image at a time, and large images wait until memory
 * is there; files that wait take no more than their own memory. A Worker that dies of an image, or does not end in time,
 * is replaced.
 */
export class ImageDecoders implements Disposable {
  /** The most Workers, and so the most images decoded at once. */
  readonly count: number;
  readonly #timeLimit: number;
  readonly #newWorker: () => Worker;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Job>();
  readonly #waiting: Job[] = [];
  /** Bytes set aside for images that are decoded or in use. */
  #memory = 0;
  /** Timers for large images whose Workers are ending. */
  readonly #ending = new Set<ReturnType<typeof setTimeout>>();
  #closed = false;

  /**
   * Starts nothing yet.
   *
   * @param options See {@linkcode ImageDecodersOptions}.
   * @throws {RangeError} If the count is not a positive integer or the time limit not positive.
   */
  constructor(options: ImageDecodersOptions = {}) {
    const { count = navigator.hardwareConcurrency, timeLimit = 10_000, newWorker = startDecodeWorker } = options;
    if (!Number.isInteger(count) || count < 1) {
      throw new RangeError(`Cannot decode images: the number of Workers must be a positive integer, got ${count}`);
    }
    if (!(timeLimit > 0)) throw new RangeError(`Cannot decode images: the time limit must be over 0, got ${timeLimit}`);
    this.count = count;
    this.#timeLimit = timeLimit;
    this.#newWorker = newWorker;
  }

  /**
   * Reads and decodes an image in a Worker.
   *
   * @param file Where it lies, or the image itself, of which the Worker gets a copy.
   * @param options See {@linkcode DecodeImageOptions}.
   * @returns The picture.
   * @throws {ImageError} If the file cannot be read or decoded, takes too long, or its Worker died of it; the message
   * holds the path.
   * @throws {DOMException} `AbortError` if the pool is closed before the picture is there.
   */
  async decode(file: ImageFile | ImageBytes, options: DecodeImageOptions = {}): Promise<RgbImage> {
    const { image, release } = await this.#decode(file, options);
    release();
    return image;
  }

  /**
   * Reads and decodes an image in a Worker and hands it on. Until that is done with it, the picture counts as memory
   * in use, so that many large pictures never wait beside each other.
   *
   * @param file Where it lies, or the image itself, of which the Worker gets a copy.
   * @param use What to do with the picture, for example to scale it down; its pixels are gone when this is done.
   * @param options See {@linkcode DecodeImageOptions}.
   * @returns What `use` returns.
   * @throws {ImageError} As {@linkcode decode} does.
   * @throws {DOMException} As {@linkcode decode} does.
   */
  async decodeThen<Result>(
    file: ImageFile | ImageBytes,
    use: (image: RgbImage) => Result | Promise<Result>,
    options: DecodeImageOptions = {},
  ): Promise<Result> {
    const { image, release } = await this.#decode(file, options);
    try {
      return await use(image);
    } finally {
      // Not when they are collected: that can be several large pictures later.
      image.pixels.buffer.transfer(0);
      release();
    }
  }

  /** Ends the Workers. What they were to decode is rejected. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const worker of [...this.#idle.splice(0), ...this.#busy.keys()]) worker.terminate();
    const jobs = [...this.#busy.values(), ...this.#waiting.splice(0)];
    this.#busy.clear();
    for (const timer of this.#ending) clearTimeout(timer);
    for (const { file, reject, timer } of jobs) {
      clearTimeout(timer);
      reject(closedError(file));
    }
  }

  async #decode(
    file: ImageFile | ImageBytes,
    options: DecodeImageOptions,
  ): Promise<{ image: RgbImage; release: () => void }> {
    if (this.#closed) throw closedError(file);
    const { promise, resolve, reject } = Promise.withResolvers<RgbImage>();
    const job: Job = { file, options, memory: FIRST_MEMORY, resolve, reject };
    this.#waiting.push(job);
    this.#next();
    const image = await promise;
    const release = () => {
      this.#memory -= job.memory;
      this.#next();
    };
    return { image, release };
  }

  /** Begins what can begin, in the order of asking: a large image is never overtaken for ever. */
  #next(): void {
    while (this.#busy.size < this.count) {
      const job = this.#waiting[0];
      if (job === undefined || (this.#memory > 0 && this.#memory + job.memory > SHARED_MEMORY)) return;
      this.#waiting.shift();
      // What idle Workers keep would come on top.
      if (job.memory > SHARED_MEMORY / 2) { for (const idle of this.#idle.splice(0)) idle.terminate(); }
      const worker = this.#idle.pop() ?? this.#start();
      this.#busy.set(worker, job);
      this.#memory += job.memory;
      job.timer = setTimeout(() => this.#fail(worker, tooSlow(this.#timeLimit)), this.#timeLimit);
      const { file, options, memory } = job;
      worker.postMessage({ file, options, memory } satisfies DecodeRequest);
    }
  }

  #start(): Worker {
    const worker = this.#newWorker();
    worker.addEventListener("message", (event: MessageEvent<DecodeAnswer>) => this.#answered(worker, event.data));
    worker.addEventListener("error", (event) => {
      // Unhandled, the event would end the program.
      event.preventDefault();
      this.#fail(worker, `its decoder failed: ${event.message.replaceAll(/\s+/g, " ")}`);
    });
    return worker;
  }

  #answered(worker: Worker, answer: DecodeAnswer): void {
    const job = this.#finish(worker);
    if (job === undefined) return;
    if (job.memory > KEPT_MEMORY) worker.terminate();
    else this.#idle.push(worker);
    if ("image" in answer) {
      this.#memory -= job.memory;
      job.memory = answer.image.pixels.length;
      this.#memory += job.memory;
      job.resolve(answer.image);
    } else {
      this.#memory -= job.memory;
      if ("memory" in answer) {
        job.memory = answer.memory;
        this.#waiting.unshift(job);
      } else job.reject(new ImageError(answer.reason, nameOf(job.file)));
    }
    this.#next();
  }

  /** Work begins only with a message; a Worker that fails before any is one that cannot start. */
  #fail(worker: Worker, reason: string): void {
    worker.terminate();
    const job = this.#finish(worker);
    if (job === undefined) return;
    job.reject(new ImageError(reason, nameOf(job.file), "decoder"));
    const ended = () => {
      this.#memory -= job.memory;
      this.#next();
    };
    if (job.memory > KEPT_MEMORY) this.#ending.add(setTimeout(ended, TERMINATION_TIME));
    else ended();
    this.#next();
  }

  #finish(worker: Worker): Job | undefined {
    const job = this.#busy.get(worker);
    clearTimeout(job?.timer);
    this.#busy.delete(worker);
    return job;
  }
}

function startDecodeWorker(): Worker {
  return new Worker(new URL("./decode_worker.ts", import.meta.url), { type: "module" });
}

function tooSlow(timeLimit: number): string {
  return `decoding took more than ${timeLimit / 1000} s, save the image anew or leave it out`;
}

function closedError(file: ImageFile | ImageBytes): DOMException {
  return new DOMException(new ImageError("the decoders are closed", nameOf(file)).message, "AbortError");
}

function nameOf(file: ImageFile | ImageBytes): string | undefined {
  return "bytes" in file ? file.name : imagePath(file);
}
