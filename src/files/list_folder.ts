/**
 * Folders from outside.
 *
 * @module
 */

import { join } from "node:path";
import { fileErrorReason } from "./file_error.ts";
import { InputError } from "../input_error.ts";

/** The names in a folder, sorted; hidden ones are left out. */
export interface FolderListing {
  /** Names of files, links among them. */
  readonly files: readonly string[];
  /** Names of folders. */
  readonly folders: readonly string[];
}

/**
 * Lists a folder.
 *
 * @param path The folder.
 * @param what What is looked for there, for error messages: "dataset".
 * @throws {InputError} If there is no such folder or it may not be read.
 */
export async function listFolder(path: string, what: string): Promise<FolderListing> {
  const files: string[] = [];
  const folders: string[] = [];
  try {
    for await (const entry of Deno.readDir(path)) {
      if (entry.name.startsWith(".")) continue;
      // A link counts as what it leads to; one that leads nowhere is missing when it is read.
      const leadsToFolder = entry.isDirectory || (entry.isSymlink && await isFolder(join(path, entry.name)));
      (leadsToFolder ? folders : files).push(entry.name);
    }
  } catch (error) {
    // A Deno permission that was not given explains itself.
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot read ${what} '${path}': ${fileErrorReason(error)}`, { cause: error });
  }
  return { files: files.sort(), folders: folders.sort() };
}

/**
 * Lists a folder, or gives empty lists where that is not allowed: a folder in a dataset that nobody may read, such as
 * `lost+found`, is none of it.
 *
 * @param path The folder.
 * @param what What is looked for there, for error messages.
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
 * Goes through a folder and those in it at any depth, each once though links may lead in circles. Those in it that may not be
 * read are passed over.
 *
 * @param folder The folder.
 * @param what What is looked for there, for error messages.
 * @returns The files of each folder, and its path from the first, which is empty for the first.
 * @throws {InputError} If the first cannot be read.
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

/**
 * Whether there is a folder at a path, as far as this user can see: a link that leads in circles is none.
 *
 * @param path The path.
 */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}
