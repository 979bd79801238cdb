// PyTorch's file format before 1.6, still written by `torch.save(…, _use_new_zipfile_serialization=False)`: pickles of
// a magic number, the protocol, the machine, the object and its storages' keys; then, for each key, the number of
// elements (64 bits) and the elements.

import { quoted } from "../printable.ts";
import type { RandomAccessFile } from "../files/open_file.ts";
import { InputError } from "../input_error.ts";
import type { PickledStorage } from "./pickled_tensor.ts";
import { DTYPE_BYTES } from "./tensor.ts";
import type { PickleValue } from "./torch_globals.ts";
import { unpickle } from "./unpickle.ts";
import type { ZipRange } from "./zip_entries.ts";

const MAGIC = 0x1950_a86a_20f9_469c_fc6cn;
const PROTOCOL = 1001;
const COUNT_BYTES = 8;

/** Maximum number of pickle bytes to read; a million instructions need fewer. */
export const MAX_PICKLE_BYTES: number = 2 ** 25;

/** The content of a PyTorch file. */
export interface PthContent {
  /** The saved object. */
  readonly value: PickleValue;
  /** The range of each storage in the file, by key. */
  readonly storages: ReadonlyMap<string, ZipRange>;
}

/**
 * Parses a file of the old format without reading its elements. Nothing in it is executed. The format has no CRC-32.
 *
 * @throws {InputError} If the file is broken or has another format (the message is the reason without the path), or
 * cannot be read.
 */
export async function parseLegacyPth(file: RandomAccessFile): Promise<PthContent> {
  const bytes = await file.read(0, Math.min(file.size, MAX_PICKLE_BYTES));
  const magic = unpickle(bytes);
  if (magic.value !== MAGIC) {
    throw new InputError("it is a pickle but not a PyTorch file, give one that torch.save wrote");
  }
  const protocol = unpickle(bytes, magic.end);
  if (protocol.value !== PROTOCOL) throw broken(`its protocol is not ${PROTOCOL}`);
  const machine = unpickle(bytes, protocol.end);
  if (!(machine.value instanceof Map) || machine.value.get("little_endian") !== true) {
    throw new InputError("its byte order is not 'little', only that can be read");
  }
  const object = unpickle(bytes, machine.end);
  const keys = unpickle(bytes, object.end);
  const storages = await findElements(file, keys.end, orderStorages(keys.value, object.storages));
  return { value: object.value, storages };
}

function orderStorages(keys: PickleValue, storages: ReadonlyMap<string, PickledStorage>): PickledStorage[] {
  if (!Array.isArray(keys)) throw broken("the list of its storages is missing");
  const ordered = keys.map((key) => {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (storage === undefined) throw broken("it lists a storage that nothing belongs to");
    return storage;
  });
  if (new Set(ordered).size !== ordered.length) throw broken("it lists a storage twice");
  return ordered;
}

async function findElements(
  file: RandomAccessFile,
  start: number,
  storages: readonly PickledStorage[],
): Promise<Map<string, ZipRange>> {
  const found = new Map<string, ZipRange>();
  let at = start;
  for (const { key, dtype, elements } of storages) {
    const begin = at + COUNT_BYTES;
    if (begin > file.size) throw broken("it is cut off");
    const count = new DataView((await file.read(at, COUNT_BYTES)).buffer).getBigInt64(0, true);
    if (count !== BigInt(elements)) throw broken(`its storage ${quoted(key)} has another size`);
    at = begin + elements * DTYPE_BYTES[dtype];
    if (at > file.size) throw broken("it is cut off");
    found.set(key, { begin, end: at, crc32: undefined });
  }
  if (at !== file.size) throw broken("data follow its elements");
  return found;
}

function broken(reason: string): InputError {
  return new InputError(`it is broken, ${reason}`);
}
