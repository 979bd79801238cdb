/**
 * The lock of who fills a cache: one process at a time; one that is killed holds it no longer.
 *
 * @module
 */

import { join } from "node:path";
import { fileErrorReason } from "../../files/file_error.ts";
import { InputError } from "../../input_error.ts";

/** Options of {@linkcode lockCache}. */
export interface LockCacheOptions {
  /**
   * Called once where another process has the lock.
   *
   * @default {undefined}
   */
  onWait?: (() => void) | undefined;
  /**
   * Ends the waiting.
   *
   * @default {undefined}
   */
  signal?: AbortSignal | undefined;
}

/** The name of the file in a cache's folder that is locked. */
export const LOCK_NAME = "lock";
const POLL_MS = 100;

/**
 * Waits until no other process fills a cache, and keeps others from it.
 *
 * @param folder The cache's folder; made if it is missing.
 * @param options See {@linkcode LockCacheOptions}.
 * @returns To be disposed when the cache is filled.
 * @throws {InputError} If the folder or the lock cannot be made.
 */
export async function lockCache(folder: string, options: LockCacheOptions = {}): Promise<Disposable> {
  const { onWait, signal } = options;
  for (let tries = 0;; tries++) {
    signal?.throwIfAborted();
    const lock = await attempt(folder, async () => {
      await Deno.mkdir(folder, { recursive: true });
      return await tryLockFile(folder);
    });
    if (lock !== undefined) return lock;
    if (tries === 0) onWait?.();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * Keeps others from filling a cache that is there.
 *
 * @param folder The cache's folder.
 * @returns To be disposed; undefined where another process fills it.
 * @throws {InputError} If the lock cannot be made.
 */
export async function tryLockCache(folder: string): Promise<Disposable | undefined> {
  return await attempt(folder, () => tryLockFile(folder));
}

async function tryLockFile(folder: string): Promise<Disposable | undefined> {
  const path = join(folder, LOCK_NAME);
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true, write: true, create: true });
  } catch (error) {
    // The cache is being cleared.
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  let locked = false;
  try {
    // The cache may have been cleared since: then this lock is of a file that nobody else finds.
    locked = await file.tryLock(true) && await isStillThere(file, path);
  } finally {
    if (!locked) file.close();
  }
  return locked ? file : undefined;
}

async function isStillThere(file: Deno.FsFile, path: string): Promise<boolean> {
  try {
    const [opened, there] = await Promise.all([file.stat(), Deno.stat(path)]);
    return opened.ino === there.ino && opened.dev === there.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function attempt<T>(folder: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot use the cache '${folder}': ${fileErrorReason(error)}`, { cause: error });
  }
}
