/**
 * A file of tensors, whichever of the known programs wrote it.
 *
 * @module
 */

import { openFile } from "../files/open_file.ts";
import { readPth } from "./pth.ts";
import { readSafetensors } from "./safetensors.ts";
import type { StoredTensor } from "./tensor.ts";

/** The formats of {@linkcode openWeights}. */
export type WeightsFormat = "safetensors" | "pth";

/** An open file of tensors: close it with `using`. */
export interface WeightsFile extends Disposable {
  /** Its format; `pth` is PyTorch's own, in either of its two forms. */
  readonly format: WeightsFormat;
  /** Its size in bytes. */
  readonly size: number;
  /** The words beside the tensors of a safetensors file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensors by name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** What every checkpoint has among its words, and no other program's file. */
const CHECKPOINT_KEY = "lrcn";
const HEADER_START = 8;
const BRACE = 0x7b;
const PICKLE = 0x80;
const ZIP = 0x50;

/**
 * Opens a file of tensors. Its content says what it is, its name only where the content is neither.
 *
 * @param path The file.
 * @returns Its tensors.
 * @throws {InputError} The file cannot be read, or is not sound.
 */
export async function openWeights(path: string): Promise<WeightsFile> {
  const { format, size } = await findFormat(path);
  if (format === "pth") {
    const file = await readPth(path);
    return { format, size, metadata: {}, tensors: file.tensors, [Symbol.dispose]: () => file[Symbol.dispose]() };
  }
  const file = await readSafetensors(path);
  const { metadata, tensors } = file;
  return { format, size, metadata, tensors, [Symbol.dispose]: () => file[Symbol.dispose]() };
}

/**
 * Tells a file's format by its first bytes.
 *
 * @param path The file.
 * @returns Its format and its size in bytes.
 * @throws {InputError} The file cannot be read.
 */
export async function findFormat(path: string): Promise<Pick<WeightsFile, "format" | "size">> {
  using file = await openFile(path);
  const { size } = file;
  const bytes = await file.read(0, Math.min(size, HEADER_START + 1));
  // Asked first: a safetensors file may begin with any byte, its header's length.
  if (bytes[HEADER_START] === BRACE) return { format: "safetensors", size };
  const isTorch = bytes[0] === ZIP || bytes[0] === PICKLE || /\.(pth|pt)$/.test(path);
  return { format: isTorch ? "pth" : "safetensors", size };
}

/** Whether a file is a checkpoint of this program, so that `openCheckpoint()` is to read it. */
export function isCheckpoint({ metadata }: Pick<WeightsFile, "metadata">): boolean {
  return CHECKPOINT_KEY in metadata;
}
