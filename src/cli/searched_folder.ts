/**
 * The images of a folder that is searched.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import { isFolder } from "../files/list_folder.ts";
import { findInputs } from "../images/find_inputs.ts";

/** Options of {@linkcode searchedFolder}. */
export interface SearchedFolderOptions {
  /** Whether folders in it are looked through. */
  readonly recursive: boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Images, and why others cannot be read. */
export interface SearchedFolder {
  /** The images by name. */
  readonly files: readonly { readonly name: string; readonly path: string }[];
  /** What is wrong with others, a line each. */
  readonly problems: readonly string[];
}

/**
 * Lists a folder's images.
 *
 * @param images The folder.
 * @param options See {@linkcode SearchedFolderOptions}.
 * @returns Its images.
 * @throws {InputError} If there are none.
 */
export async function searchedFolder(
  images: string,
  { recursive, signal }: SearchedFolderOptions,
): Promise<SearchedFolder> {
  if (!await isFolder(images)) throw new InputError(`Cannot search: there is no folder ${images}; give --images DIR`);
  const path = (path: string) => path;
  const inputs = await findInputs([images], { path, standardInput: new ReadableStream(), recursive, signal });
  const files: { readonly name: string; readonly path: string }[] = [];
  const problems: string[] = [];
  for await (const input of inputs.images) {
    if ("path" in input) files.push(input);
    else if ("problem" in input) problems.push(input.problem);
  }
  if (files.length === 0) throw new InputError(`Cannot search: ${problems[0] ?? `there is no image in ${images}`}`);
  return { files, problems };
}
