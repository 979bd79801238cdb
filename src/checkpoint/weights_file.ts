import { openFile, type RandomAccessFile } from "../files/open_file.ts";
import { sha256 } from "../files/sha256.ts";
import { isCheckpoint } from "./checkpoint.ts";
import { readTensors, readVocabularyDigest } from "./pth.ts";
import { readHeader } from "./safetensors.ts";
import type { StoredTensor } from "./tensor.ts";
import { VOCABULARY_DIGEST } from "./vocabulary_digest.ts";

/** The formats of {@linkcode openWeights}. */
export type WeightsFormat = "safetensors" | "pth";

/** An open file of tensors: close it with `using`. */
export interface WeightsFile extends Disposable {
  /** `pth` is PyTorch's own, in either of its two forms. */
  readonly format: WeightsFormat;
  /** Size in bytes. */
  readonly size: number;
  /** The metadata of a safetensors file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The digest of the vocabulary that they belong to, if the file says. */
  readonly vocabularyDigest: string | undefined;
  /** The tensors by name, in file order. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

const HEADER_START = 8;
const BRACE = 0x7b;
const PICKLE = 0x80;
const ZIP = 0x50;

/**
 * Opens a file of tensors. The format is detected from the content, or from the name if the content is neither.
 *
 * @throws {InputError} If the file cannot be read, or is not valid.
 */
export async function openWeights(path: string): Promise<WeightsFile> {
  using opened = new DisposableStack();
  const file = opened.use(await openFile(path));
  const format = await findFormat(path, file);
  const { metadata, tensors } = format === "pth"
    ? { metadata: {}, tensors: await readTensors(path, file) }
    : await readHeader(path, file);
  const vocabularyDigest = format === "pth" ? await readVocabularyDigest(path, file) : await digestIn(metadata);
  const owner = opened.move();
  return { format, size: file.size, metadata, vocabularyDigest, tensors, [Symbol.dispose]: () => owner.dispose() };
}

/** The digest in the metadata, or in a checkpoint that of its own words. */
async function digestIn(metadata: WeightsFile["metadata"]): Promise<string | undefined> {
  const { [VOCABULARY_DIGEST]: digest, vocabulary } = metadata;
  return digest ?? (isCheckpoint({ metadata }) && vocabulary !== undefined ? await sha256(vocabulary) : undefined);
}

/**
 * Detects a file's format from its first bytes.
 *
 * @throws {InputError} If the file cannot be read.
 */
export async function findFormat(path: string, file: RandomAccessFile): Promise<WeightsFormat> {
  const bytes = await file.read(0, Math.min(file.size, HEADER_START + 1));
  // Checked first: a safetensors file begins with its header's length, which can be any byte.
  if (bytes[HEADER_START] === BRACE) return "safetensors";
  return bytes[0] === ZIP || bytes[0] === PICKLE || /\.(pth|pt)$/.test(path) ? "pth" : "safetensors";
}
