import { join } from "node:path";
import { errorCode, isNotUtf8, NOT_UTF8 } from "../files/file_error.ts";
import { InputError } from "../input_error.ts";
import { listFolder } from "../files/list_folder.ts";
import { ImageError } from "./image_error.ts";
import { IMAGE_ENDINGS } from "./image_kind.ts";
import { readStandardInput } from "./standard_input.ts";

/** An image to caption, under the name the user gave it; or the reason it cannot be captioned. */
export type CaptionInput =
  & { readonly name: string }
  & ({ readonly path: string } | { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly problem: string });

export interface CaptionInputs {
  readonly images: AsyncIterable<CaptionInput>;
  /** Undefined if standard input names the images one by one. */
  readonly total: number | undefined;
  /** True if the user named one image, rather than a folder or list that contains only one. */
  readonly single: boolean;
}

export interface FindInputsOptions {
  /** Makes a user's path absolute. */
  readonly path: (path: string) => string;
  readonly standardInput: ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Search folders recursively.
   *
   * @default {false}
   */
  readonly recursive?: boolean;
  /**
   * Ends the list of paths from standard input.
   *
   * @default {never}
   */
  readonly signal?: AbortSignal;
}

const IMAGE_NAME = new RegExp(`\\.(?:${IMAGE_ENDINGS})$`, "i");

/**
 * Finds the images behind names: a file is itself, whatever its name; a folder stands for its image files in
 * name order; `-` stands for the image or the paths on standard input. A folder without images and an empty standard
 * input become problems in the list.
 *
 * @throws {InputError} If standard input is named twice.
 */
export async function findInputs(names: readonly string[], options: FindInputsOptions): Promise<CaptionInputs> {
  if (names.filter((name) => name === "-").length > 1) {
    throw new InputError("Cannot read images: standard input can be read once; give one '-'");
  }
  const parts: (readonly CaptionInput[] | AsyncIterable<CaptionInput>)[] = [];
  let single = names.length === 1;
  for (const name of names) {
    if (name !== "-") {
      const found = await imagesAt(name, options);
      single &&= found.length === 1 && found[0]?.name === name;
      parts.push(found);
      continue;
    }
    const input = await orProblem(readStandardInput(options.standardInput, options.signal));
    single &&= !("paths" in input);
    if ("paths" in input) parts.push(imagesAtAll(input.paths, options));
    else parts.push(["image" in input ? { name, bytes: input.image } : { name, ...input }]);
  }
  const known = parts.filter((part) => Array.isArray(part)).map(({ length }) => length);
  const total = known.length === parts.length ? known.reduce((sum, length) => sum + length, 0) : undefined;
  return { images: inTurn(parts, options.signal), total, single };
}

async function orProblem<T>(promise: Promise<T>): Promise<T | { readonly problem: string }> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof InputError) return { problem: error.message };
    throw error;
  }
}

async function* inTurn(
  parts: readonly (readonly CaptionInput[] | AsyncIterable<CaptionInput>)[],
  signal: AbortSignal | undefined,
): AsyncGenerator<CaptionInput, void, undefined> {
  for (const part of parts) {
    for await (const input of part) {
      if (signal?.aborted) return;
      yield input;
    }
  }
}

async function* imagesAtAll(
  paths: AsyncIterable<string>,
  options: FindInputsOptions,
): AsyncGenerator<CaptionInput, void, undefined> {
  try {
    for await (const name of paths) yield* await imagesAt(name, options);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // The images named before are captioned all the same.
    yield { name: "-", problem: error.message };
  }
}

async function imagesAt(name: string, options: FindInputsOptions): Promise<CaptionInput[]> {
  if (isNotUtf8(name)) return [{ name, problem: notUtf8(name) }];
  const path = options.path(name);
  // If something else is wrong with the path, its reader reports it.
  if (!(await isFolder(path))) return [{ name, path }];
  const files = await imagesIn(path, name, options.recursive ?? false, new Set());
  if (files.length > 0) return files;
  const advice = options.recursive ? "name another" : "name another, or search its subfolders with --recursive";
  const reason = `it is a folder without files called .jpg, .png, .webp, .gif, .tif, .avif or .heic, ${advice}`;
  return [{ name, problem: new ImageError(reason, path).message }];
}

async function imagesIn(path: string, name: string, deep: boolean, seen: Set<string>): Promise<CaptionInput[]> {
  if (deep) {
    // Links may form a loop.
    const real = await Deno.realPath(path);
    if (seen.has(real)) return [];
    seen.add(real);
  }
  try {
    const { files, folders } = await listFolder(path, "images");
    const found = files.filter((file) => IMAGE_NAME.test(file)).map((file): CaptionInput =>
      isNotUtf8(file)
        ? { name: join(name, file), problem: notUtf8(join(path, file)) }
        : { name: join(name, file), path: join(path, file) }
    );
    if (!deep) return found;
    for (const folder of folders) {
      if (isNotUtf8(folder)) found.push({ name: join(name, folder), problem: notUtf8(join(path, folder)) });
      else found.push(...await imagesIn(join(path, folder), join(name, folder), deep, seen));
    }
    return found;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return [{ name, problem: error.message }];
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || errorCode(error) === "") throw error;
    return false;
  }
}

function notUtf8(path: string): string {
  return new InputError(`Cannot read images '${path}': ${NOT_UTF8}`).message;
}
