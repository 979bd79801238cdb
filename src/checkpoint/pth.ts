/**
 * PyTorch's `.pth`: a zip archive with a pickled state_dict and a file for each storage.
 *
 * libtorch's own functions serve neither way: it reads an OrderedDict with attributes as None, and what it writes is
 * refused by `torch.load(weights_only=True)`.
 *
 * @module
 */

import { unzipSync } from "fflate";
import { InputError } from "../input_error.ts";
import { quoted } from "./file_error.ts";
import { cannotRead, openFile } from "./open_file.ts";
import { pickleStateDict } from "./pickle.ts";
import { contiguousBytes, isInsideStorage, PickledTensor } from "./pickled_tensor.ts";
import { checkedByteCounts, DTYPE_BYTES, readChecked, type StoredTensor, type TensorSource } from "./tensor.ts";
import { type PickleValue, unpickle } from "./unpickle.ts";
import { writeAtomic, type WriteAtomicOptions } from "./write_atomic.ts";
import { storedZip } from "./zip.ts";

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
 * Reads a state_dict that `torch.save` wrote, PyTorch 1.6 or newer: a dict of tensors, or a dict that holds one under
 * `state_dict`. The file is read as hostile and nothing in it is run. It stays in memory as long as the result does;
 * each `read()` gives a contiguous copy of one tensor.
 *
 * @param path The file.
 * @returns The tensors by name, in the file's order.
 * @throws {InputError} The file cannot be read, is of another format, or holds anything but weights.
 */
export async function readPth(path: string): Promise<Map<string, StoredTensor>> {
  const bytes = await readArchive(path);
  const entries = listEntries(path, bytes);
  const pickle = [...entries.keys()].find((name) => name.endsWith("/data.pkl"));
  if (pickle === undefined) throw cannotRead(path, "it is a zip archive but no PyTorch file, 'data.pkl' is missing");
  const folder = pickle.slice(0, -"data.pkl".length);
  if (entries.has(`${folder}byteorder`)) {
    const order = new TextDecoder().decode(extract(path, bytes, `${folder}byteorder`)).trim();
    if (order !== "little") throw cannotRead(path, `its byte order is ${quoted(order)}, only 'little' can be read`);
  }

  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of stateDict(path, extract(path, bytes, pickle))) {
    const { storage, shape } = tensor;
    const { dtype } = storage;
    const entry = `${folder}data/${storage.key}`;
    if (entries.get(entry) !== storage.elements * DTYPE_BYTES[dtype]) {
      throw cannotRead(path, `the elements of ${quoted(name)} are missing or of another size`);
    }
    if (!isInsideStorage(tensor)) throw cannotRead(path, `the tensor ${quoted(name)} reaches beyond its elements`);
    const read = async () => await Promise.resolve(contiguousBytes(tensor, extract(path, bytes, entry)));
    tensors.set(name, { dtype, shape, read });
  }
  return tensors;
}

async function readArchive(path: string): Promise<Uint8Array<ArrayBuffer>> {
  using file = await openFile(path);
  const [first, second] = file.size < 2 ? [] : await file.read(0, 2);
  if (first === 0x80) {
    throw cannotRead(
      path,
      "it is in PyTorch's format before 1.6, convert it in Python with torch.save(torch.load(path), new_path)",
    );
  }
  if (first !== 0x50 || second !== 0x4b) {
    throw cannotRead(path, "it is not a PyTorch file, give one that torch.save wrote");
  }
  return await file.read(0, file.size);
}

/** Sizes of the archive's files, whose sum can be no larger than the archive: torch.save compresses nothing. */
function listEntries(path: string, bytes: Uint8Array<ArrayBuffer>): Map<string, number> {
  const sizes = new Map<string, number>();
  let total = 0;
  unzip(path, bytes, ({ name, size, originalSize, compression }) => {
    if (compression !== 0 || size !== originalSize) {
      throw cannotRead(path, `${quoted(name)} in it is compressed, save it again with torch.save`);
    }
    if (sizes.has(name)) throw cannotRead(path, `${quoted(name)} stands in it twice`);
    sizes.set(name, size);
    total += size;
    return false;
  });
  if (total > bytes.byteLength) throw cannotRead(path, "it is broken, its files overlap");
  return sizes;
}

function extract(path: string, bytes: Uint8Array<ArrayBuffer>, name: string): Uint8Array<ArrayBuffer> {
  let wanted = 0;
  const entry = unzip(path, bytes, (file) => {
    if (file.name !== name) return false;
    wanted = file.size;
    return true;
  })[name];
  if (entry?.byteLength !== wanted) throw cannotRead(path, `it is cut off, ${quoted(name)} is incomplete`);
  return new Uint8Array(entry);
}

function unzip(path: string, bytes: Uint8Array<ArrayBuffer>, filter: (file: ZipFile) => boolean) {
  try {
    return unzipSync(bytes, { filter });
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw cannotRead(path, "it is cut off or broken, its zip archive cannot be read", error);
  }
}

interface ZipFile {
  readonly name: string;
  readonly size: number;
  readonly originalSize: number;
  readonly compression: number;
}

function stateDict(path: string, pickle: Uint8Array<ArrayBuffer>): Map<string, PickledTensor> {
  let value: PickleValue;
  try {
    value = unpickle(pickle);
  } catch (error) {
    if (error instanceof InputError) throw cannotRead(path, error.message, error);
    throw error;
  }
  const inner = value instanceof Map ? value.get("state_dict") : undefined;
  const dict = inner instanceof Map ? inner : value;
  if (!(dict instanceof Map)) throw cannotRead(path, "it holds no state_dict, save model.state_dict()");
  const tensors = new Map<string, PickledTensor>();
  for (const [name, tensor] of dict) {
    if (typeof name !== "string" || !(tensor instanceof PickledTensor)) {
      const words = typeof name === "string" ? quoted(name) : "a key";
      throw cannotRead(path, `it is no state_dict, ${words} is not the name of a tensor, save model.state_dict()`);
    }
    tensors.set(name, tensor);
  }
  return tensors;
}
