// The locks of a cache's folder. One is shared by the processes that have the cache open, and taken alone by one that removes
// its files; the other is held by the one that fills it. A killed process releases them.

import { join } from "node:path";
import { errorCode, fileErrorReason } from "../../files/file_error.ts";
import { openRegular } from "../../files/open_file.ts";
import { InputError } from "../../input_error.ts";

/** Options of {@linkcode lockFilling}. */
export interface LockFillingOptions {
  /** Is called once if another process fills the cache. */
  readonly onWait?: (() => void) | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

const LOCK_NAME = "lock";
const FILLING_NAME = "filling";
/** The locked files in a cache's folder. */
export const LOCK_NAMES: readonly string[] = [LOCK_NAME, FILLING_NAME];
const POLL_MS = 100;

/**
 * Locks a cache while it is open, so that no process removes it.
 *
 * @param folder The cache's folder; created if missing.
 * @returns The lock, to be disposed; `readOnly` holds the error if the folder cannot be written.
 * @throws {InputError} If the folder cannot be written and there is no cache to read in it.
 */
export async function lockCache(folder: string): Promise<Disposable & { readonly readOnly?: InputError }> {
  while (true) {
    const { file, readOnly } = await openLock(folder);
    const locked = await attempt(folder, file, async () => {
      await file.lock(false);
      return await isStillThere(file, join(folder, LOCK_NAME));
    });
    if (locked) return { ...(readOnly !== undefined && { readOnly }), [Symbol.dispose]: () => file.close() };
    file.close();
  }
}

/**
 * Locks a cache's folder alone; undefined if a process has the cache open.
 *
 * @throws {InputError} If the lock cannot be created.
 */
export async function lockCacheAlone(folder: string): Promise<Disposable | undefined> {
  const { file, readOnly } = await openLock(folder);
  const locked = readOnly === undefined && await attempt(folder, file, async () => (
    await file.tryLock(true) && await isStillThere(file, join(folder, LOCK_NAME))
  ));
  if (locked) return file;
  file.close();
  if (readOnly !== undefined) throw readOnly;
  return undefined;
}

/**
 * Waits until no other process fills a cache that {@linkcode lockCache} has locked, and keeps others from it.
 *
 * @throws {InputError} If the lock cannot be created.
 */
export async function lockFilling(folder: string, options: LockFillingOptions = {}): Promise<Disposable> {
  const { onWait, signal } = options;
  for (let tries = 0;; tries++) {
    signal?.throwIfAborted();
    const lock = await tryLockFilling(folder);
    if (lock !== undefined) return lock;
    if (tries === 0) onWait?.();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * Locks a cache as {@linkcode lockFilling} does; undefined if another process fills it.
 *
 * @throws {InputError} If the lock cannot be created.
 */
export async function tryLockFilling(folder: string): Promise<Disposable | undefined> {
  const { file, readOnly } = await openLock(folder, FILLING_NAME);
  if (readOnly === undefined && await attempt(folder, file, () => file.tryLock(true))) return file;
  file.close();
  if (readOnly !== undefined) throw readOnly;
  return undefined;
}

interface OpenLock {
  readonly file: Deno.FsFile;
  /** The error if the file can only be read. */
  readonly readOnly?: InputError;
}

async function openLock(folder: string, name = LOCK_NAME): Promise<OpenLock> {
  const path = join(folder, name);
  try {
    await Deno.mkdir(folder, { recursive: true });
    return { file: await Deno.open(path, { read: true, write: true, create: true }) };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const reason = fileErrorReason(error);
    const refused = new InputError(`Cannot write the cache '${folder}': ${reason}`, { cause: error });
    if (!["EROFS", "EACCES", "EPERM"].includes(errorCode(error))) throw refused;
    try {
      return { file: await openRegular(path), readOnly: refused };
    } catch {
      throw refused;
    }
  }
}

/** Locks a file, or closes it. */
async function attempt<Result>(folder: string, file: Deno.FsFile, lock: () => Promise<Result>): Promise<Result> {
  try {
    return await lock();
  } catch (error) {
    file.close();
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(
      `Cannot lock the cache '${folder}': ${fileErrorReason(error)}; choose a local disk with --cache DIR`,
      { cause: error },
    );
  }
}

/** Whether the file was not removed with the cache before it was locked. */
async function isStillThere(file: Deno.FsFile, path: string): Promise<boolean> {
  try {
    const [opened, there] = await Promise.all([file.stat(), Deno.stat(path)]);
    return opened.ino === there.ino && opened.dev === there.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
