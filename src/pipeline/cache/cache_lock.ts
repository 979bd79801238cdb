// The lock for filling a cache: one process at a time. A killed process releases it.

import { join } from "node:path";
import { fileErrorReason } from "../../files/file_error.ts";
import { InputError } from "../../input_error.ts";

export interface LockCacheOptions {
  /**
   * Called once if another process holds the lock.
   *
   * @default {undefined}
   */
  onWait?: (() => void) | undefined;
  /**
   * Ends the wait.
   *
   * @default {undefined}
   */
  signal?: AbortSignal | undefined;
}

/** The locked file in a cache's folder. */
export const LOCK_NAME = "lock";
const POLL_MS = 100;

/**
 * Waits until no other process fills a cache, and locks it. Dispose the result when the cache is filled.
 *
 * @param folder The cache's folder; created if missing.
 * @throws {InputError} If the folder or the lock cannot be created.
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
 * Locks an existing cache; undefined if another process fills it.
 *
 * @throws {InputError} If the lock cannot be created.
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
    // If the cache was cleared meanwhile, this lock belongs to a file nobody else can open.
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
