import { InputError } from "../input_error.ts";
import { isFolder } from "../files/list_folder.ts";
import { findInputs } from "../images/find_inputs.ts";

/** Options of {@linkcode searchedFolder}. */
export interface SearchedFolderOptions {
  readonly recursive: boolean;
  readonly signal: AbortSignal;
}

/** The result of {@linkcode searchedFolder}. */
export interface SearchedFolder {
  readonly files: readonly { readonly name: string; readonly path: string }[];
  /** A line for each file that cannot be read. */
  readonly problems: readonly string[];
}

/**
 * Lists the images of a folder.
 *
 * @throws {InputError} If there is no folder, or no image in it.
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
