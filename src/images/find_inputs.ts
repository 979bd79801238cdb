/**
 * The images that a user names: files, folders, and what comes from standard input.
 *
 * @module
 */

import { join } from "node:path";
import { errorCode } from "../files/file_error.ts";
import { InputError } from "../input_error.ts";
import { listFolder } from "../files/list_folder.ts";
import { ImageError } from "./image_error.ts";
import { readStandardInput } from "./standard_input.ts";

/** What is to be captioned, by the name that the user knows it by; or why it cannot be. */
export type CaptionInput =
  & { readonly name: string }
  & ({ readonly path: string } | { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly problem: string });

/** All that is to be captioned. */
export interface CaptionInputs {
  /** The images, in order. */
  readonly images: AsyncIterable<CaptionInput>;
  /** How many there are; undefined where standard input names them, one after the other. */
  readonly total: number | undefined;
  /** Whether the user gave one image, not a folder or a list that happens to hold one. */
  readonly single: boolean;
}

/** Options of {@linkcode findInputs}. */
export interface FindInputsOptions {
  /** Makes a user's path absolute. */
  readonly path: (path: string) => string;
  /** Standard input. */
  readonly standardInput: ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Whether folders in folders are looked through.
   *
   * @default {false}
   */
  readonly recursive?: boolean;
  /**
   * Ends what standard input names.
   *
   * @default {never}
   */
  readonly signal?: AbortSignal;
}

const IMAGE_NAME = /\.(?:jpe?g|png)$/i;

/**
 * Finds the images behind names: a file is itself, whatever it is called, a folder its JPEG and PNG files by name,
 * and `-` the image or the paths that standard input holds.
 *
 * @param names What the user named.
 * @param options See {@linkcode FindInputsOptions}.
 * @returns The images. A folder without any, and standard input without anything, are among them as problems.
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
      const found = await behind(name, options);
      single &&= found.length === 1 && found[0]?.name === name;
      parts.push(found);
      continue;
    }
    const input = await orProblem(readStandardInput(options.standardInput, options.signal));
    single &&= !("paths" in input);
    if ("paths" in input) parts.push(behindAll(input.paths, options));
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

async function* behindAll(
  paths: AsyncIterable<string>,
  options: FindInputsOptions,
): AsyncGenerator<CaptionInput, void, undefined> {
  try {
    for await (const name of paths) yield* await behind(name, options);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // What was named before is captioned none the less.
    yield { name: "-", problem: error.message };
  }
}

async function behind(name: string, options: FindInputsOptions): Promise<CaptionInput[]> {
  const path = options.path(name);
  // Whatever else is wrong with a path, its reader has words for.
  if (!(await isFolder(path))) return [{ name, path }];
  const files = await imagesIn(path, name, options.recursive ?? false, new Set());
  if (files.length > 0) return files;
  const advice = options.recursive ? "name another" : "name another, or look in the folders in it by --recursive";
  const reason = `it is a folder without files called .jpg, .jpeg or .png, ${advice}`;
  return [{ name, problem: new ImageError(reason, path).message }];
}

async function imagesIn(path: string, name: string, deep: boolean, seen: Set<string>): Promise<CaptionInput[]> {
  if (deep) {
    // Links may lead in a circle.
    const place = await Deno.realPath(path);
    if (seen.has(place)) return [];
    seen.add(place);
  }
  try {
    const { files, folders } = await listFolder(path, "images");
    const found: CaptionInput[] = files.filter((file) => IMAGE_NAME.test(file))
      .map((file) => ({ name: join(name, file), path: join(path, file) }));
    if (!deep) return found;
    for (const folder of folders) found.push(...await imagesIn(join(path, folder), join(name, folder), deep, seen));
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
