// Downloads weights whose file name contains the first digits of their SHA-256.

import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { errorCode, fileErrorReason } from "../files/file_error.ts";
import { openFile } from "../files/open_file.ts";
import { InputError } from "../input_error.ts";
import { requestRest, TransferError } from "./download.ts";

export interface DownloadWeightsOptions {
  /** The target folder; created if missing. */
  readonly folder: string;
  /** The URL of the source folder, with a trailing slash. */
  readonly origin: string;
  /** Called with the progress in bytes; the total is 0 if the server does not say. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Receives notes for the user, for example that the existing file is damaged. */
  readonly onNote?: (line: string) => void;
  /** Aborts the download; the part received so far is kept. */
  readonly signal?: AbortSignal;
  /**
   * Number of attempts if a transfer breaks off, or the server is temporarily unavailable.
   *
   * @default {5}
   */
  readonly attempts?: number;
  /**
   * Milliseconds without a byte after which the server counts as stalled.
   *
   * @default {30_000}
   */
  readonly stallTimeout?: number;
  /**
   * Milliseconds between attempts.
   *
   * @default {1000}
   */
  readonly pause?: number;
}

const DIGEST_IN_NAME = /-([0-9a-f]{8,64})\.\w+$/;
const LOCK_POLL_MS = 500;
const CHUNK_BYTES = 2 ** 20;

/**
 * Downloads a file once. An existing file is verified, and downloaded again if it is damaged. A partial download is
 * named `NAME.part`; it is resumed, also by a later call, and renamed when its SHA-256 begins with the digits in the
 * name. Concurrent processes wait for each other.
 *
 * @param fileName For example `resnet50-0676ba61.pth`.
 * @returns The file's path in the folder.
 * @throws {InputError} If it cannot be downloaded or written, or has the wrong digest; the message names the remedy.
 * @throws {DOMException} The signal's reason, if it was aborted.
 * @throws {TypeError} If the name contains no digest.
 */
export async function downloadWeights(fileName: string, options: DownloadWeightsOptions): Promise<string> {
  const { folder, signal, onNote = () => {} } = options;
  const digest = DIGEST_IN_NAME.exec(fileName)?.[1];
  if (digest === undefined) throw new TypeError(`Cannot download '${fileName}': its name contains no digest`);
  const path = join(folder, fileName);
  if (await isFile(path)) {
    const found = await digestOf(path, signal);
    if (found.startsWith(digest)) return path;
    onNote(`'${path}' is damaged, its SHA-256 is ${found}, but its name says ${digest}...: downloading it again`);
  }
  await attempt(folder, () => Deno.mkdir(folder, { recursive: true }));
  const partPath = `${path}.part`;
  for (;;) {
    signal?.throwIfAborted();
    using file = await attempt(partPath, () => Deno.open(partPath, { read: true, write: true, create: true }));
    // Some network file systems have no locks.
    if (await file.tryLock(true).catch(() => true)) {
      // Another process may have completed it meanwhile.
      if (await isFile(path) && (await digestOf(path, signal)).startsWith(digest)) {
        if ((await file.stat()).size === 0) await Deno.remove(partPath).catch(() => {});
        return path;
      }
      const part = new Part(partPath, file);
      try {
        await fetchPart(part, new URL(fileName, options.origin).href, { ...options, digest });
      } catch (error) {
        // An empty part is nothing to resume from.
        if (part.bytes === 0) await Deno.remove(partPath).catch(() => {});
        throw error;
      }
      await attempt(path, () => Deno.rename(partPath, path));
      return path;
    }
    await pause(LOCK_POLL_MS, signal);
  }
}

/** Whether the file exists and its SHA-256 starts with the digits in its name. */
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

/** Completes a part, verifies it and flushes it to the disk. */
async function fetchPart(
  part: Part,
  url: string,
  options: DownloadWeightsOptions & { readonly digest: string },
): Promise<void> {
  const { digest, signal } = options;
  await part.rehash(signal);
  // The part left by an earlier call may be corrupt; then it is downloaded from the start, once.
  for (let isOld = part.bytes > 0;; isOld = false) {
    if (isOld && part.digest().startsWith(digest)) break;
    await fetchRest(part, url, options);
    const found = part.digest();
    if (found.startsWith(digest)) break;
    await part.clear();
    if (isOld) continue;
    await Deno.remove(part.path).catch(() => {});
    throw new InputError(
      `Cannot download ${url}: the download has the SHA-256 ${found}, but its name says ${digest}...; ` +
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
      // A missing network will not appear within a second, nor will a server that did not answer in all this time.
      const isHopeless = !hasBegun && (isUnreachable(error) || performance.now() - start >= stallTimeout);
      if (error.isFinal || isHopeless || count >= attempts) {
        const kept = part.bytes > 0 ? "the part received is kept: start again to resume, or " : "";
        throw new InputError(`Cannot download ${url}: ${error.message}; ${kept}${adviceFor(url)}`, { cause: error });
      }
    }
    await pause(options.pause ?? 1000, signal);
  }
}

/** Tells whether the name cannot be resolved, or nobody listens. */
function isUnreachable({ cause }: TransferError): boolean {
  if (!(cause instanceof TypeError)) return false;
  return /dns error|connection refused/i.test(`${cause.message} ${cause.cause}`);
}

function adviceFor(url: string): string {
  return `download ${url} elsewhere and name the file with --encoder-weights FILE`;
}

/** The part received so far, and its digest. */
class Part {
  #hash: Hash = createHash("sha256");
  #bytes = 0;

  constructor(readonly path: string, readonly file: Deno.FsFile) {}

  /** Bytes received so far. */
  get bytes(): number {
    return this.#bytes;
  }

  digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Hashes what an earlier call left. */
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
