/**
 * Fetching a file of weights whose name holds the first digits of its SHA-256.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { errorCode, fileErrorReason } from "../files/file_error.ts";
import { openFile } from "../files/open_file.ts";
import { InputError } from "../input_error.ts";
import { requestRest, TransferError } from "./download.ts";

/** Options of {@linkcode downloadWeights}. */
export interface DownloadWeightsOptions {
  /** Where the file is kept; made where it is missing. */
  readonly folder: string;
  /** The folder on the network, with a slash at its end. */
  readonly origin: string;
  /** Told how far it is, in bytes; the total is 0 where the server does not say it. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Told what the user should know: that the file that is there is damaged. */
  readonly onNote?: (line: string) => void;
  /** Ends the download; what has come is kept. */
  readonly signal?: AbortSignal;
  /**
   * How many times a transfer is begun that breaks off, or that the server cannot begin at the moment.
   *
   * @default {5}
   */
  readonly attempts?: number;
  /**
   * Milliseconds after which a server that sends no byte has stalled.
   *
   * @default {30_000}
   */
  readonly stallTimeout?: number;
  /**
   * Milliseconds before a transfer is begun again.
   *
   * @default {1000}
   */
  readonly pause?: number;
}

const DIGEST_IN_NAME = /-([0-9a-f]{8,64})\.\w+$/;
const LOCK_POLL_MS = 500;
const CHUNK_BYTES = 2 ** 20;

/**
 * Fetches a file once; one that is there is held against its digest, and fetched anew where it is damaged. It grows under
 * the name `NAME.part` and goes on from there after a break, in a later call too; it gets its own name when its SHA-256
 * begins with the digits in the name. Two processes that fetch it at once wait for each other.
 *
 * @param fileName The file's name, for example `resnet50-0676ba61.pth`.
 * @param options See {@linkcode DownloadWeightsOptions}.
 * @returns The file's path in the folder.
 * @throws {InputError} It cannot be fetched or written, or its digest is another; the message says what to do.
 * @throws {DOMException} The signal was aborted: its reason.
 * @throws {TypeError} The name holds no digest.
 */
export async function downloadWeights(fileName: string, options: DownloadWeightsOptions): Promise<string> {
  const { folder, signal, onNote = () => {} } = options;
  const digest = DIGEST_IN_NAME.exec(fileName)?.[1];
  if (digest === undefined) throw new TypeError(`Cannot download '${fileName}': its name holds no digest`);
  const path = join(folder, fileName);
  if (await isFile(path)) {
    const found = await digestOf(path, signal);
    if (found.startsWith(digest)) return path;
    onNote(`'${path}' is damaged, its SHA-256 is ${found} where its name promises ${digest}...: downloading it anew`);
  }
  await attempt(folder, () => Deno.mkdir(folder, { recursive: true }));
  const partPath = `${path}.part`;
  for (;;) {
    signal?.throwIfAborted();
    using file = await attempt(partPath, () => Deno.open(partPath, { read: true, write: true, create: true }));
    // Some network file systems have no locks.
    if (await file.tryLock(true).catch(() => true)) {
      // Another process may have given it its name since it was asked for.
      if (await isFile(path) && (await digestOf(path, signal)).startsWith(digest)) {
        if ((await file.stat()).size === 0) await Deno.remove(partPath).catch(() => {});
        return path;
      }
      const part = new Part(partPath, file);
      try {
        await fetchPart(part, new URL(fileName, options.origin).href, { ...options, digest });
      } catch (error) {
        // There is nothing to go on with.
        if (part.bytes === 0) await Deno.remove(partPath).catch(() => {});
        throw error;
      }
      await attempt(path, () => Deno.rename(partPath, path));
      return path;
    }
    await pause(LOCK_POLL_MS, signal);
  }
}

/** Whether a file is there whose SHA-256 begins with the digits in its name. */
export async function isUndamaged(path: string, signal?: AbortSignal): Promise<boolean> {
  const digest = DIGEST_IN_NAME.exec(path)?.[1];
  return digest !== undefined && await isFile(path) && (await digestOf(path, signal)).startsWith(digest);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}

async function digestOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  using file = await openFile(path);
  const hash = createHash("sha256");
  for (let at = 0; at < file.size; at += CHUNK_BYTES) {
    signal?.throwIfAborted();
    hash.update(await file.read(at, Math.min(CHUNK_BYTES, file.size - at)));
  }
  return hash.digest("hex");
}

/** Completes a part, checks it and brings it to the disk. */
async function fetchPart(
  part: Part,
  url: string,
  options: DownloadWeightsOptions & { readonly digest: string },
): Promise<void> {
  const { digest, signal } = options;
  await part.rehash(signal);
  // What an earlier call left may be broken; then it is fetched from the start, once.
  for (let isOld = part.bytes > 0;; isOld = false) {
    if (isOld && part.digest().startsWith(digest)) break;
    await fetchRest(part, url, options);
    const found = part.digest();
    if (found.startsWith(digest)) break;
    await part.clear();
    if (isOld) continue;
    await Deno.remove(part.path).catch(() => {});
    throw new InputError(
      `Cannot download ${url}: what came has the SHA-256 ${found} where ${digest}... was promised by its name; ` +
        adviceFor(url),
    );
  }
  await attempt(part.path, () => part.file.sync());
}

async function fetchRest(part: Part, url: string, options: DownloadWeightsOptions): Promise<void> {
  const { onProgress = () => {}, signal, attempts = 5, stallTimeout = 30_000 } = options;
  const start = performance.now();
  for (let count = 1, hasBegun = false;; count++) {
    try {
      for await (const { chunk, start, total } of requestRest(url, part.bytes, { stallTimeout, signal })) {
        if (start < part.bytes) await part.clear();
        await part.append(chunk);
        hasBegun = true;
        onProgress(part.bytes, total);
      }
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof TransferError)) throw error;
      // A network that is not there will not come in a second, nor a server that has been waited for in vain.
      const isHopeless = !hasBegun && (isUnreachable(error) || performance.now() - start >= stallTimeout);
      if (error.isFinal || isHopeless || count >= attempts) {
        const kept = part.bytes > 0 ? "what has come is kept: start again to go on with it, or " : "";
        throw new InputError(`Cannot download ${url}: ${error.message}; ${kept}${adviceFor(url)}`, { cause: error });
      }
    }
    await pause(options.pause ?? 1000, signal);
  }
}

/** Whether the name is not known, or nobody listens. */
function isUnreachable({ cause }: TransferError): boolean {
  if (!(cause instanceof TypeError)) return false;
  return /dns error|connection refused/i.test(`${cause.message} ${cause.cause}`);
}

function adviceFor(url: string): string {
  return `download ${url} elsewhere and name the file by --encoder-weights FILE`;
}

/** What has come of the file, and its digest so far. */
class Part {
  #hash: Hash = createHash("sha256");
  #bytes = 0;

  constructor(readonly path: string, readonly file: Deno.FsFile) {}

  /** How many bytes have come. */
  get bytes(): number {
    return this.#bytes;
  }

  digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Reads what an earlier call left. */
  async rehash(signal: AbortSignal | undefined): Promise<void> {
    const { size } = await attempt(this.path, () => this.file.stat());
    const buffer = new Uint8Array(Math.min(size, CHUNK_BYTES));
    while (this.#bytes < size) {
      signal?.throwIfAborted();
      const count = await attempt(this.path, () => this.file.read(buffer));
      if (count === null) break;
      this.#add(buffer.subarray(0, count));
    }
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength;) {
      at += await attempt(this.path, () => this.file.write(chunk.subarray(at)));
    }
    this.#add(chunk);
  }

  async clear(): Promise<void> {
    await attempt(this.path, () => this.file.truncate(0));
    await attempt(this.path, () => this.file.seek(0, Deno.SeekMode.Start));
    this.#hash = createHash("sha256");
    this.#bytes = 0;
  }

  #add(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.byteLength;
  }
}

async function attempt<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const advice = ["ENOSPC", "EDQUOT"].includes(errorCode(error)) ? ", free some space or choose another folder" : "";
    throw new InputError(`Cannot write '${path}': ${fileErrorReason(error)}${advice}`, { cause: error });
  }
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  signal?.throwIfAborted();
}
