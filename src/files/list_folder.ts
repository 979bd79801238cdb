import { join } from "node:path";
import { fileErrorReason } from "./file_error.ts";
import { InputError } from "../input_error.ts";

/** The names in a folder, sorted, without hidden ones. */
export interface FolderListing {
  /** Names of files, including links to files. */
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/**
 * Lists a folder.
 *
 * @param what The folder's role, for error messages: "dataset".
 * @throws {InputError} If there is no such folder or it may not be read.
 */
export async function listFolder(path: string, what: string): Promise<FolderListing> {
  // Names that are not UTF-8 may look the same.
  const files = new Set<string>();
  const folders = new Set<string>();
  try {
    for await (const entry of Deno.readDir(path)) {
      if (entry.name.startsWith(".")) continue;
      // A link counts as its target; a broken link is reported missing when it is read.
      const leadsToFolder = entry.isDirectory || (entry.isSymlink && await isFolder(join(path, entry.name)));
      (leadsToFolder ? folders : files).add(entry.name);
    }
  } catch (error) {
    // Deno's message already names the missing permission.
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot read ${what} '${path}': ${fileErrorReason(error)}`, { cause: error });
  }
  return { files: [...files].sort(), folders: [...folders].sort() };
}

/**
 * Lists a folder, or returns empty lists if that is not allowed: a dataset does not include folders such as
 * `lost+found`.
 */
export async function listIfReadable(path: string, what: string): Promise<FolderListing> {
  try {
    return await listFolder(path, what);
  } catch (error) {
    if (error instanceof InputError) return { files: [], folders: [] };
    throw error;
  }
}

/**
 * Walks a folder and its subfolders, each once even if links form a loop, and skips unreadable subfolders. Yields each
 * folder's files, and its path relative to the first.
 *
 * @param what The folder's role, for error messages.
 * @throws {InputError} If the first folder cannot be read.
 */
export async function* innerFolders(
  folder: string,
  what: string,
): AsyncGenerator<{ readonly path: string; readonly files: readonly string[] }, void, undefined> {
  const seen = new Set<string>();
  const paths = [""];
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const list = path === "" ? listFolder : listIfReadable;
    const { files, folders } = await list(join(folder, path), what);
    if (files.length + folders.length === 0) continue;
    const real = await Deno.realPath(join(folder, path));
    if (seen.has(real)) continue;
    seen.add(real);
    yield { path, files };
    for (const name of folders.toReversed()) paths.push(join(path, name));
  }
}

/** Tells whether a path is a folder, as far as this user can see. A link that forms a loop is not. */
export async function isFolder(path: string): Promise<boolean> {
  return (await statIfSeen(path))?.isDirectory ?? false;
}

/** Tells whether a path is a file, as far as this user can see. */
export async function isFile(path: string): Promise<boolean> {
  return (await statIfSeen(path))?.isFile ?? false;
}

/** A path's metadata, as far as this user can see; undefined for a link that leads nowhere. */
export async function statIfSeen(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}
