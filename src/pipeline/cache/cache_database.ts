import { join } from "node:path";
import { type Database, openDatabase } from "../../files/database.ts";
import type { InputError } from "../../input_error.ts";
import { lockCache } from "./cache_lock.ts";

/** The open database of a cache, locked against removal. */
export interface CacheDatabase extends Disposable {
  /** Undefined if the folder cannot be written and holds none. */
  readonly database: Database | undefined;
  /** Why nothing can be written; undefined if it can. */
  readonly readOnly: InputError | undefined;
}

/**
 * Opens a database in a cache's folder, and creates it if it is missing. In a read-only folder it is only read.
 *
 * @throws {InputError} If it can be neither written nor read; check `isDatabaseDamaged`.
 */
export async function openCacheDatabase(folder: string, name: string, schema: string): Promise<CacheDatabase> {
  using stack = new DisposableStack();
  const { readOnly } = stack.use(await lockCache(folder));
  const path = join(folder, name);
  const missing = readOnly !== undefined && !await isThere(path);
  const database = missing ? undefined : stack.use(openDatabase(path, { schema, readOnly: readOnly !== undefined }));
  const opened = stack.move();
  return { database, readOnly, [Symbol.dispose]: () => opened.dispose() };
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
