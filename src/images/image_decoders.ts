import type { DecodeImageOptions, RgbImage } from "./rgb_image.ts";
import type { DecodeAnswer, DecodeRequest } from "./decode_worker.ts";
import { checkOpenFiles } from "../files/open_files_limit.ts";
import { ImageError } from "./image_error.ts";
import { type ImageBytes, type ImageFile, imagePath } from "./image_file.ts";
import type { ThreadStart } from "./vips_thread_worker.ts";

export interface ImageDecodersOptions {
  /**
   * The maximum number of Workers, started on demand.
   *
   * @default {navigator.hardwareConcurrency}
   */
  count?: number;
  /**
   * The time limit for one image in milliseconds.
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
  readonly signal: AbortSignal | undefined;
  /** Bytes reserved for it. */
  memory: number;
  readonly resolve: (image: RgbImage) => void;
  readonly reject: (error: unknown) => void;
  timer?: ReturnType<typeof setTimeout>;
}

/** Memory shared by all images being decoded; a larger image is decoded alone. */
const SHARED_MEMORY = 350e6;
/** Reserved for an image before its header is read: enough for two megapixels. */
const FIRST_MEMORY = 16e6;
/** A Worker that used more is closed: WebAssembly gives no memory back. A photo of 12 megapixels takes 83 MB. */
const KEPT_MEMORY = 100e6;
/** Time for a new Worker to load its decoder, on a busy machine too. */
const LOADING_MS = 60_000;

/**
 * A pool of Workers that read and decode images. Each decodes one image at a time, and large images wait until memory
 * is available; waiting files take no more than their own memory. A Worker that crashes or exceeds the time limit is
 * replaced; the latter ends when its image is decoded.
 */
export class ImageDecoders implements Disposable {
  /** The maximum number of images decoded at once. */
  readonly count: number;
  readonly #timeLimit: number;
  readonly #newWorker: () => Worker;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Job>();
  readonly #waiting: Job[] = [];
  /** Bytes reserved for images that are being decoded or used. */
  #memory = 0;
  /** The threads of each Worker's libvips. */
  readonly #threads = new Map<Worker, Worker[]>();
  /** Workers that took too long, and the memory they hold until they end: Deno cannot stop them in the middle. */
  readonly #late = new Map<Worker, number>();
  #closed = false;

  /**
   * Starts no Worker yet.
   *
   * @throws {RangeError} If the count is not a positive integer or the time limit is not positive.
   */
  constructor(options: ImageDecodersOptions = {}) {
    const { count = navigator.hardwareConcurrency, timeLimit = 10_000, newWorker = startDecodeWorker } = options;
    if (!Number.isInteger(count) || count < 1) {
      throw new RangeError(`Cannot decode images: count must be a positive integer, got ${count}`);
    }
    if (!(timeLimit > 0)) throw new RangeError(`Cannot decode images: timeLimit must be over 0, got ${timeLimit}`);
    this.count = count;
    this.#timeLimit = timeLimit;
    this.#newWorker = newWorker;
  }

  /**
   * Reads and decodes an image in a Worker. Bytes in memory are copied to it.
   *
   * @throws {ImageError} If the file cannot be read or decoded, takes too long, or crashes its Worker; the message
   * contains the path.
   * @throws {InputError} If a Worker cannot be started because too many files are open.
   * @throws {DOMException} `AbortError` if the pool is closed first.
   */
  async decode(file: ImageFile | ImageBytes, options: DecodeImageOptions = {}): Promise<RgbImage> {
    const { image, release } = await this.#decode(file, options);
    release();
    return image;
  }

  /**
   * Reads and decodes an image in a Worker and passes it to `use`. Until that settles, the image counts as memory in
   * use, so that many large images never pile up.
   *
   * @param use Uses the image, for example scales it down; the pixels are freed afterwards.
   * @param options Once `signal` is aborted, the image is dropped with the signal's reason. A Worker that is at it already
   * decodes it to the end, since nothing can stop it, but nobody waits for it.
   * @throws {ImageError} As {@linkcode decode} does.
   * @throws {DOMException} As {@linkcode decode} does.
   */
  async decodeThen<Result>(
    file: ImageFile | ImageBytes,
    use: (image: RgbImage) => Result | Promise<Result>,
    { signal, ...options }: DecodeImageOptions & { readonly signal?: AbortSignal } = {},
  ): Promise<Result> {
    const { image, release } = await this.#decode(file, options, signal);
    try {
      signal?.throwIfAborted();
      return await use(image);
    } finally {
      // Freed now instead of by the garbage collector, which can be several large images later.
      image.pixels.buffer.transfer(0);
      release();
    }
  }

  /** Rejects unfinished work, and ends the Workers as soon as the images are decoded that they are at. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const worker of [...this.#idle.splice(0), ...this.#busy.keys()]) close(worker);
    const jobs = [...this.#busy.values(), ...this.#waiting.splice(0)];
    this.#busy.clear();
    for (const { file, reject, timer } of jobs) {
      clearTimeout(timer);
      reject(closedError(file));
    }
  }

  async #decode(
    file: ImageFile | ImageBytes,
    options: DecodeImageOptions,
    signal?: AbortSignal,
  ): Promise<{ image: RgbImage; release: () => void }> {
    if (this.#closed) throw closedError(file);
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<RgbImage>();
    const job: Job = { file, options, signal, memory: FIRST_MEMORY, resolve, reject };
    this.#waiting.push(job);
    const drop = () => {
      const waiting = this.#waiting.indexOf(job);
      if (waiting >= 0) this.#waiting.splice(waiting, 1);
      reject(signal?.reason);
      this.#next();
    };
    signal?.addEventListener("abort", drop);
    this.#next();
    const image = await promise.finally(() => signal?.removeEventListener("abort", drop));
    const release = () => {
      this.#memory -= job.memory;
      this.#next();
    };
    return { image, release };
  }

  /** Starts as many jobs as possible in order, so that a large image is not overtaken forever. */
  #next(): void {
    // As many again may be late: one that never ends must not stop all others.
    while (this.#busy.size + Math.max(0, this.#late.size - this.count) < this.count) {
      const job = this.#waiting[0];
      if (job === undefined || (this.#memory > 0 && this.#memory + job.memory > SHARED_MEMORY)) return;
      this.#waiting.shift();
      // The memory of idle Workers would come on top.
      if (job.memory > SHARED_MEMORY / 2) { for (const idle of this.#idle.splice(0)) close(idle); }
      const idle = this.#idle.pop();
      let worker: Worker;
      try {
        worker = idle ?? this.#start();
      } catch (error) {
        // The others go on, if there are any.
        if (this.#busy.size > 0) return void this.#waiting.unshift(job);
        job.reject(error);
        continue;
      }
      this.#busy.set(worker, job);
      this.#memory += job.memory;
      // A new Worker loads its decoder first, which takes long if the machine is busy; that is not the image's fault.
      this.#limitTime(worker, this.#timeLimit + (idle === undefined ? LOADING_MS : 0));
      const { file, options, memory } = job;
      worker.postMessage({ file, options, memory } satisfies DecodeRequest);
    }
  }

  #start(): Worker {
    const worker = this.#newWorker();
    worker.addEventListener("message", (event: MessageEvent<DecodeAnswer>) => this.#answered(worker, event.data));
    worker.addEventListener("error", (event) => {
      // An unhandled error event would end the program.
      event.preventDefault();
      this.#crashed(worker, decoderFailed(event.message));
    });
    return worker;
  }

  #answered(worker: Worker, answer: DecodeAnswer): void {
    if ("thread" in answer) return this.#startThread(worker, answer.thread);
    if ("closed" in answer) return this.#ended(worker);
    if ("loaded" in answer) return this.#limitTime(worker, this.#timeLimit);
    const job = this.#finish(worker);
    if (job === undefined) return;
    if (job.memory > KEPT_MEMORY) close(worker);
    else this.#idle.push(worker);
    if (job.signal?.aborted) {
      this.#memory -= job.memory;
      if ("image" in answer) answer.image.pixels.buffer.transfer(0);
    } else if ("image" in answer) {
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

  #terminate(worker: Worker): void {
    const idle = this.#idle.indexOf(worker);
    if (idle >= 0) this.#idle.splice(idle, 1);
    for (const each of [worker, ...this.#threads.get(worker) ?? []]) each.terminate();
    this.#threads.delete(worker);
  }

  #limitTime(worker: Worker, milliseconds: number): void {
    const job = this.#busy.get(worker);
    if (job === undefined) return;
    clearTimeout(job.timer);
    job.timer = setTimeout(() => this.#abandon(worker), milliseconds);
  }

  /** Rejects an image that takes too long. */
  #abandon(worker: Worker): void {
    const job = this.#finish(worker);
    if (job === undefined) return;
    job.reject(new ImageError(tooSlow(this.#timeLimit), nameOf(job.file), "decoder"));
    // A small image does not hold up others.
    const held = job.memory > KEPT_MEMORY ? job.memory : 0;
    this.#memory -= job.memory - held;
    this.#late.set(worker, held);
    close(worker);
    this.#next();
  }

  /** Without a job, the Worker failed before its first message. */
  #crashed(worker: Worker, reason: string): void {
    this.#terminate(worker);
    const job = this.#finish(worker);
    if (job === undefined) return this.#ended(worker);
    job.reject(new ImageError(reason, nameOf(job.file), "decoder"));
    this.#memory -= job.memory;
    this.#next();
  }

  #startThread(worker: Worker, start: ThreadStart): void {
    const thread = startThread(start, (message) => this.#crashed(worker, decoderFailed(message)));
    this.#threads.set(worker, [...this.#threads.get(worker) ?? [], thread]);
  }

  #ended(worker: Worker): void {
    this.#terminate(worker);
    this.#memory -= this.#late.get(worker) ?? 0;
    this.#late.delete(worker);
    if (!this.#closed) this.#next();
  }

  #finish(worker: Worker): Job | undefined {
    const job = this.#busy.get(worker);
    clearTimeout(job?.timer);
    this.#busy.delete(worker);
    return job;
  }
}

/** Files that a Worker and the threads of its libvips open, with some to spare. */
const WORKER_FILES = 48;

/** @throws {InputError} If too few files can be opened: Deno would end the process in the middle of the Worker's start. */
function startDecodeWorker(): Worker {
  checkOpenFiles(WORKER_FILES);
  return new Worker(new URL("./decode_worker.ts", import.meta.url), { type: "module" });
}

/** Starts a thread of libvips. `onError` is told what it threw; the decode Worker would wait for it for ever. */
function startThread(start: ThreadStart, onError: (message: string) => void): Worker {
  const url = new URL("./vips_thread_worker.ts", import.meta.url);
  const thread = new Worker(url, { type: "module", name: "em-pthread" });
  thread.addEventListener("error", (event) => {
    event.preventDefault();
    onError(event.message);
  });
  thread.postMessage(start, [start.port]);
  return thread;
}

/** Ends a Worker once it is idle, with the threads of its libvips: after terminate() those would wait for ever. */
function close(worker: Worker): void {
  worker.postMessage("close" satisfies DecodeRequest);
}

function decoderFailed(message: string): string {
  return `its decoder failed: ${message.replaceAll(/\s+/g, " ")}`;
}

function tooSlow(timeLimit: number): string {
  return `decoding took more than ${timeLimit / 1000} s, save the image again or remove it`;
}

function closedError(file: ImageFile | ImageBytes): DOMException {
  return new DOMException(new ImageError("the decoders are closed", nameOf(file)).message, "AbortError");
}

function nameOf(file: ImageFile | ImageBytes): string | undefined {
  return "bytes" in file ? file.name : imagePath(file);
}
