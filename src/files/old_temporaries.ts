/**
 * What processes that were killed long ago left of files that they were writing. Their age tells that nobody writes them,
 * whosever they are; `stale_temporaries.ts` removes those of known files at any age.
 *
 * @module
 */

import { removeFiles } from "./stale_temporaries.ts";
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
  return await removeFiles(folder, async (name, path) => {
    const [, written] = name.match(TEMPORARY_NAME) ?? [];
    if (written === undefined || !isTemporaryOf(written, name)) return false;
    return now - ((await Deno.stat(path)).mtime?.getTime() ?? now) >= age;
  });
}
