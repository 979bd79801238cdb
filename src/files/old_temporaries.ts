// Removes temporaries of any file by age alone; `stale_temporaries.ts` removes those of known files at any age.

import { removeFiles } from "./stale_temporaries.ts";
import { isTemporaryOf } from "./write_atomic.ts";

export interface RemoveOldTemporariesOptions {
  /**
   * Minimum age in milliseconds, so that no process still writes them.
   *
   * @default {a day}
   */
  readonly age?: number;
  /**
   * The current time in milliseconds since 1970.
   *
   * @default {Date.now()}
   */
  readonly now?: number;
}

const DAY_MS = 24 * 3600 * 1000;
const TEMPORARY_NAME = /^\.(.+)\.[-0-9a-f]{36}\.tmp$/s;

/**
 * Removes temporaries of `writeAtomic()` not written for a day, and nothing else. Returns their paths.
 *
 * @param folder The folder to search; a missing one has none.
 * @throws {InputError} If the folder cannot be read, or a temporary cannot be removed.
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
