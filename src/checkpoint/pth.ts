// PyTorch's `.pth`: a zip archive with a pickled state_dict and one file per storage. libtorch's functions do not help:
// they read an OrderedDict with attributes as None, and `torch.load(weights_only=True)` rejects what they write.

import { crc32 } from "node:zlib";
import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";
import { cannotRead, openFile, type RandomAccessFile } from "../files/open_file.ts";
import { MAX_PICKLE_BYTES, parseLegacyPth, type PthContent } from "./legacy_pth.ts";
import { pickleStateDict } from "./pickle.ts";
import { byteSpan, contiguousBytes, isInsideStorage, PickledTensor } from "./pickled_tensor.ts";
import {
  byteCount,
  checkedByteCounts,
  DTYPE_BYTES,
  readChecked,
  type StoredTensor,
  type TensorSource,
} from "./tensor.ts";
import type { PickleValue } from "./torch_globals.ts";
import { VOCABULARY_DIGEST } from "./vocabulary_digest.ts";
import { unpickle } from "./unpickle.ts";
import { writeAtomic, type WriteAtomicOptions } from "../files/write_atomic.ts";
import { storedZip } from "./zip.ts";
import { storedZipEntries, type ZipRange } from "./zip_entries.ts";

// The folder inside the archive; PyTorch accepts any name.
const FOLDER = "archive";
const ZIP_BEGINNING = 0x50;
const CHUNK_BYTES = 2 ** 22;
const DAMAGED = "damaged, their CRC-32 does not match the archive; copy or download the file again";

/** Options of {@linkcode writePth}. */
export interface WritePthOptions extends Omit<WriteAtomicOptions, "size"> {
  /** The digest of the vocabulary that the weights belong to; PyTorch ignores it. */
  readonly vocabularyDigest?: string;
}

/**
 * Writes a state_dict for `torch.load(path, weights_only=True)`, atomically. The same tensors in the same order give
 * the same bytes.
 *
 * @param tensors The state_dict's tensors in order; one is in memory at a time.
 * @throws {InputError} If the file cannot be written.
 * @throws {TypeError} If two tensors have the same name.
 * @throws {RangeError} If a tensor's bytes do not match its shape, or all take more than 4 GiB.
 */
export async function writePth(
  path: string,
  tensors: Iterable<TensorSource>,
  { vocabularyDigest, ...options }: WritePthOptions = {},
): Promise<void> {
  const list = [...tensors];
  const sizes = checkedByteCounts(list);
  const storages = list.map((tensor, index) => {
    const size = sizes[index] ?? 0;
    return { name: `${FOLDER}/data/${index}`, size, read: () => readChecked(tensor, size) };
  });
  const { size, chunks } = storedZip([
    file("data.pkl", pickleStateDict(list)),
    file("byteorder", new TextEncoder().encode("little")),
    ...storages,
    ...(vocabularyDigest === undefined ? [] : [file(VOCABULARY_DIGEST, new TextEncoder().encode(vocabularyDigest))]),
    file("version", new TextEncoder().encode("3\n")),
  ]);
  await writeAtomic(path, chunks, { ...options, size });
}

function file(name: string, content: Uint8Array): { name: string; size: number; read: () => Uint8Array } {
  return { name: `${FOLDER}/${name}`, size: content.byteLength, read: () => content };
}

/** An open PyTorch file: close it with `using`. */
export interface PthFile extends Disposable {
  /** The tensors by name, in file order. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Opens a state_dict written by `torch.save`, in the format before or since PyTorch 1.6: a dict of tensors, or a dict
 * with one under `state_dict`, `model_state_dict`, `model`, `module` or `net`. The file is treated as hostile, and nothing in it is executed. Elements are read on
 * demand and checked against the archive's CRC-32; the old format has none, nor has an archive that PyTorch wrote
 * without.
 *
 * @throws {InputError} If the file cannot be read, has another format, or contains anything but weights.
 */
export async function readPth(path: string): Promise<PthFile> {
  using opened = new DisposableStack();
  const tensors = await readTensors(path, opened.use(await openFile(path)));
  const owner = opened.move();
  return { tensors, [Symbol.dispose]: () => owner.dispose() };
}

/**
 * Reads the layout of an open PyTorch file, which must stay open as long as elements are read.
 *
 * @throws {InputError} As {@linkcode readPth} does.
 */
export async function readTensors(path: string, file: RandomAccessFile): Promise<PthFile["tensors"]> {
  const checked = new CheckedFile(path, file);
  try {
    return storedTensors(await parsePth(checked), checked);
  } catch (error) {
    // File system errors already contain the path.
    if (!(error instanceof InputError) || error.message.startsWith(cannotRead(path, "").message)) throw error;
    throw cannotRead(path, error.message, error);
  }
}

/**
 * Reads the digest of the vocabulary that the weights in an open PyTorch file belong to.
 *
 * @returns Undefined if the file has none: PyTorch does not write it.
 * @throws {InputError} If the file is damaged.
 */
export async function readVocabularyDigest(path: string, file: RandomAccessFile): Promise<string | undefined> {
  if ((await file.read(0, Math.min(file.size, 1)))[0] !== ZIP_BEGINNING) return undefined;
  const checked = new CheckedFile(path, file);
  const entries = await storedZipEntries(file);
  const name = [...entries.keys()].find((name) => name.endsWith(`/${VOCABULARY_DIGEST}`));
  const digest = name === undefined ? undefined : await readEntry(checked, entries, name);
  return digest === undefined ? undefined : new TextDecoder().decode(digest);
}

/** A file whose pieces are checked against their CRC-32 before any of their bytes is returned. */
class CheckedFile {
  readonly #sums = new Map<ZipRange, Promise<number>>();

  constructor(readonly path: string, readonly file: RandomAccessFile) {}

  /** Reads a part of a piece. */
  async read(piece: ZipRange, what: string, part: { begin: number; end: number }): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = part.end - part.begin;
    if (bytes === 0) return new Uint8Array(0);
    const read = () => this.file.read(piece.begin + part.begin, bytes);
    if (piece.crc32 === undefined) return await read();
    const whole = bytes === piece.end - piece.begin ? await read() : undefined;
    const sum = whole === undefined ? await this.#sum(piece) : crc32(whole);
    if (sum !== piece.crc32) throw cannotRead(this.path, `${what} are ${DAMAGED}`);
    return whole ?? await read();
  }

  /** Computed once per piece, since tensors may share it, with one chunk in memory at a time. */
  #sum(piece: ZipRange): Promise<number> {
    const sum = this.#sums.get(piece) ?? this.#computeSum(piece);
    this.#sums.set(piece, sum);
    return sum;
  }

  async #computeSum({ begin, end }: ZipRange): Promise<number> {
    let sum = 0;
    for (let at = begin; at < end; at += CHUNK_BYTES) {
      sum = crc32(await this.file.read(at, Math.min(CHUNK_BYTES, end - at)), sum);
    }
    return sum;
  }
}

async function parsePth(checked: CheckedFile): Promise<PthContent> {
  const { file } = checked;
  const [first, second] = await file.read(0, Math.min(file.size, 2));
  if (first === 0x80) return await parseLegacyPth(file);
  if (first === ZIP_BEGINNING && second === 0x4b) return await parseArchive(checked);
  throw new InputError("it is not a PyTorch file, give one that torch.save wrote");
}

async function parseArchive(checked: CheckedFile): Promise<PthContent> {
  const entries = await storedZipEntries(checked.file);
  const name = [...entries.keys()].find((name) => name.endsWith("/data.pkl"));
  const pickle = name === undefined ? undefined : await readEntry(checked, entries, name);
  if (name === undefined || pickle === undefined) {
    throw new InputError("it is a zip archive but not a PyTorch file, 'data.pkl' is missing");
  }
  const folder = name.slice(0, -"data.pkl".length);
  const order = await readEntry(checked, entries, `${folder}byteorder`);
  const byteOrder = order === undefined ? "little" : new TextDecoder().decode(order).trim();
  if (byteOrder !== "little") throw new InputError(`its byte order is ${quoted(byteOrder)}, only 'little' can be read`);
  const { value, storages, end } = unpickle(pickle);
  if (end !== pickle.byteLength) throw new InputError("it is broken, data follow its pickle");
  const found = new Map<string, ZipRange>();
  for (const key of storages.keys()) {
    const range = entries.get(`${folder}data/${key}`);
    if (range !== undefined) found.set(key, range);
  }
  return { value, storages: found };
}

async function readEntry(
  checked: CheckedFile,
  entries: ReadonlyMap<string, ZipRange>,
  name: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const entry = entries.get(name);
  if (entry === undefined) return undefined;
  const end = entry.end - entry.begin;
  if (end > MAX_PICKLE_BYTES) throw new InputError(`${quoted(name)} in it has ${end} bytes, more than weights need`);
  return await checked.read(entry, `the bytes of ${quoted(name)}`, { begin: 0, end });
}

function storedTensors({ value, storages }: PthContent, checked: CheckedFile): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of stateDict(value)) {
    const { storage: { key, dtype, elements }, shape } = tensor;
    const range = storages.get(key);
    if (range === undefined || range.end - range.begin !== elements * DTYPE_BYTES[dtype]) {
      throw new InputError(`the elements of ${quoted(name)} are missing or of another size`);
    }
    if (!isInsideStorage(tensor)) throw new InputError(`the tensor ${quoted(name)} reaches beyond its elements`);
    // Elements shared by a stride of 0 would let a few bytes claim any amount of memory.
    if ((byteCount({ dtype, shape }) ?? Infinity) > checked.file.size) {
      throw new InputError(`the tensor ${quoted(name)} is larger than the file`);
    }
    const read = async () =>
      contiguousBytes(tensor, await checked.read(range, `the elements of ${quoted(name)}`, byteSpan(tensor)));
    tensors.set(name, { dtype, shape, read });
  }
  return tensors;
}

/** The keys under which training scripts save a state_dict, beside the optimizer's. */
const STATE_DICT_KEYS = ["state_dict", "model_state_dict", "model", "module", "net"];

function stateDict(value: PickleValue): Map<string, PickledTensor> {
  const inner = value instanceof Map
    ? STATE_DICT_KEYS.map((key) => value.get(key)).find((its) => its instanceof Map)
    : undefined;
  const dict = inner instanceof Map ? inner : value;
  if (!(dict instanceof Map)) throw new InputError("it contains no state_dict, save model.state_dict()");
  const tensors = new Map<string, PickledTensor>();
  for (const [name, tensor] of dict) {
    if (typeof name !== "string" || !(tensor instanceof PickledTensor)) {
      const key = typeof name === "string" ? quoted(name) : "a key";
      throw new InputError(`it is not a state_dict, ${key} is not the name of a tensor, save model.state_dict()`);
    }
    tensors.set(name, tensor);
  }
  return tensors;
}
