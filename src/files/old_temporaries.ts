/**
 * What processes that were killed long ago left of files that they were writing.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../input_error.ts";
import { fileErrorReason } from "./file_error.ts";
import { isTemporaryOf } from "./write_atomic.ts";

/** Options of {@linkcode removeOldTemporaries}. */
export interface RemoveOldTemporariesOptions {
  /**
   * How old they must be, so that nobody writes them still, in milliseconds.
   *
   * @default {a day}
   */
  readonly age?: number;
  /**
   * The present time in milliseconds since 1970.
   *
   * @default {Date.now()}
   */
  readonly now?: number;
}

const DAY_MS = 24 * 3600 * 1000;
const TEMPORARY_NAME = /^\.(.+)\.[-0-9a-f]{36}\.tmp$/s;

/**
 * Removes the temporaries of `writeAtomic()` that nobody has written for a day. Nothing else is removed.
 *
 * @param folder The folder to be looked through; one that is not there has none.
 * @param options See {@linkcode RemoveOldTemporariesOptions}.
 * @returns The paths of those that were removed.
 * @throws {InputError} If the folder cannot be read, or a temporary not be removed.
 */
export async function removeOldTemporaries(
  folder: string,
  options: RemoveOldTemporariesOptions = {},
): Promise<string[]> {
  const { age = DAY_MS, now = Date.now() } = options;
  const removed: string[] = [];
  try {
    for (const name of await temporariesIn(folder)) {
      const path = join(folder, name);
      // Another process may have been quicker.
      const written = (await ifThere(Deno.stat(path)))?.mtime?.getTime() ?? now;
      if (now - written < age) continue;
      await ifThere(Deno.remove(path));
      removed.push(path);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot clean '${folder}': ${fileErrorReason(error)}`, { cause: error });
  }
  return removed;
}

async function temporariesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  await ifThere((async () => {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      const [, written] = name.match(TEMPORARY_NAME) ?? [];
      if (isFile && written !== undefined && isTemporaryOf(written, name)) names.push(name);
    }
  })());
  return names;
}

async function ifThere<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
