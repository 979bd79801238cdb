/**
 * PyTorch's `.pth`: a zip archive with a pickled state_dict and a file for each storage. The format before PyTorch 1.6 is
 * read too.
 *
 * libtorch's own functions serve neither way: it reads an OrderedDict with attributes as None, and what it writes is
 * refused by `torch.load(weights_only=True)`.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import { quoted } from "../files/file_error.ts";
import { cannotRead, openFile } from "../files/open_file.ts";
import { parseLegacyPth, type PthContent } from "./legacy_pth.ts";
import { pickleStateDict } from "./pickle.ts";
import { contiguousBytes, isInsideStorage, PickledTensor } from "./pickled_tensor.ts";
import {
  byteCount,
  checkedByteCounts,
  DTYPE_BYTES,
  readChecked,
  type StoredTensor,
  type TensorSource,
} from "./tensor.ts";
import type { PickleValue } from "./torch_globals.ts";
import { unpickle } from "./unpickle.ts";
import { writeAtomic, type WriteAtomicOptions } from "../files/write_atomic.ts";
import { storedZip } from "./zip.ts";
import { storedZipEntries, type ZipRange } from "./zip_entries.ts";

// The folder inside the archive; PyTorch takes any name.
const FOLDER = "archive";

/**
 * Writes a state_dict that `torch.load(path, weights_only=True)` opens, whole or not at all. The same tensors in the
 * same order give the same bytes.
 *
 * @param path Where it shall be.
 * @param tensors The state_dict's tensors in its order; one at a time is in memory.
 * @param options Those of {@linkcode writeAtomic}, less the size.
 * @throws {InputError} The file cannot be written.
 * @throws {TypeError} Two tensors have the same name.
 * @throws {RangeError} A tensor gives more or fewer bytes than its shape needs, or all take more than 4 GiB.
 */
export async function writePth(
  path: string,
  tensors: Iterable<TensorSource>,
  options: Omit<WriteAtomicOptions, "size"> = {},
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
    file("version", new TextEncoder().encode("3\n")),
  ]);
  await writeAtomic(path, chunks, { ...options, size });
}

function file(name: string, content: Uint8Array): { name: string; size: number; read: () => Uint8Array } {
  return { name: `${FOLDER}/${name}`, size: content.byteLength, read: () => content };
}

/**
 * Reads a state_dict that `torch.save` wrote, in its format before PyTorch 1.6 or since: a dict of tensors, or a dict that
 * holds one under `state_dict`. The file is read as hostile and nothing in it is run. It stays in memory as long as the
 * result does; each `read()` gives a contiguous copy of one tensor.
 *
 * @param path The file.
 * @returns The tensors by name, in the file's order.
 * @throws {InputError} The file cannot be read, is of another format, or holds anything but weights.
 */
export async function readPth(path: string): Promise<Map<string, StoredTensor>> {
  const bytes = await readWhole(path);
  try {
    return storedTensors(parsePth(bytes), bytes.byteLength);
  } catch (error) {
    if (error instanceof InputError) throw cannotRead(path, error.message, error);
    throw error;
  }
}

async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  using file = await openFile(path);
  return await file.read(0, file.size);
}

function parsePth(bytes: Uint8Array<ArrayBuffer>): PthContent {
  if (bytes[0] === 0x80) return parseLegacyPth(bytes);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return parseArchive(bytes);
  throw new InputError("it is not a PyTorch file, give one that torch.save wrote");
}

function parseArchive(bytes: Uint8Array<ArrayBuffer>): PthContent {
  const entries = storedZipEntries(bytes);
  const content = ({ begin, end }: ZipRange) => bytes.subarray(begin, end);
  const [name, range] = [...entries].find(([name]) => name.endsWith("/data.pkl")) ?? [];
  if (name === undefined || range === undefined) {
    throw new InputError("it is a zip archive but no PyTorch file, 'data.pkl' is missing");
  }
  const folder = name.slice(0, -"data.pkl".length);
  const order = entries.get(`${folder}byteorder`);
  const word = order === undefined ? "little" : new TextDecoder().decode(content(order)).trim();
  if (word !== "little") throw new InputError(`its byte order is ${quoted(word)}, only 'little' can be read`);
  const { value, storages, end } = unpickle(content(range));
  if (end !== range.end - range.begin) throw new InputError("it is broken, something follows its pickle");
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const key of storages.keys()) {
    const place = entries.get(`${folder}data/${key}`);
    if (place !== undefined) found.set(key, content(place));
  }
  return { value, storages: found };
}

function storedTensors({ value, storages }: PthContent, fileBytes: number): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of stateDict(value)) {
    const { storage: { key, dtype, elements }, shape } = tensor;
    const storage = storages.get(key);
    if (storage?.byteLength !== elements * DTYPE_BYTES[dtype]) {
      throw new InputError(`the elements of ${quoted(name)} are missing or of another size`);
    }
    if (!isInsideStorage(tensor)) throw new InputError(`the tensor ${quoted(name)} reaches beyond its elements`);
    // Rows that share their elements (a stride of 0) let a few bytes claim any amount of memory.
    if ((byteCount({ dtype, shape }) ?? Infinity) > fileBytes) {
      throw new InputError(`the tensor ${quoted(name)} is larger than the file`);
    }
    tensors.set(name, { dtype, shape, read: () => Promise.resolve(contiguousBytes(tensor, storage)) });
  }
  return tensors;
}

function stateDict(value: PickleValue): Map<string, PickledTensor> {
  const inner = value instanceof Map ? value.get("state_dict") : undefined;
  const dict = inner instanceof Map ? inner : value;
  if (!(dict instanceof Map)) throw new InputError("it holds no state_dict, save model.state_dict()");
  const tensors = new Map<string, PickledTensor>();
  for (const [name, tensor] of dict) {
    if (typeof name !== "string" || !(tensor instanceof PickledTensor)) {
      const words = typeof name === "string" ? quoted(name) : "a key";
      throw new InputError(`it is no state_dict, ${words} is not the name of a tensor, save model.state_dict()`);
    }
    tensors.set(name, tensor);
  }
  return tensors;
}
