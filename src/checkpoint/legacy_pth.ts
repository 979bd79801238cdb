/**
 * PyTorch's file format before 1.6, which `torch.save(…, _use_new_zipfile_serialization=False)` still writes: pickles of a
 * magic number, of the protocol, of the machine, of the object and of its storages' keys; then, for each key, how many
 * elements there are (64 bits), and the elements.
 *
 * @module
 */

import { quoted } from "../files/file_error.ts";
import { InputError } from "../input_error.ts";
import type { PickledStorage } from "./pickled_tensor.ts";
import { DTYPE_BYTES } from "./tensor.ts";
import type { PickleValue } from "./torch_globals.ts";
import { unpickle } from "./unpickle.ts";

const MAGIC = 0x1950_a86a_20f9_469c_fc6cn;
const PROTOCOL = 1001;
const COUNT_BYTES = 8;

/** What a file of PyTorch holds. */
export interface PthContent {
  /** The object that was saved. */
  readonly value: PickleValue;
  /** The elements' bytes by the key of their storage: views of the file's. */
  readonly storages: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/**
 * Reads a file of the old format. Nothing in it is run.
 *
 * @param bytes The whole file.
 * @returns Its object, and where its elements are.
 * @throws {InputError} The file is broken, or no such file; the message is a reason alone, without the path.
 */
export function parseLegacyPth(bytes: Uint8Array<ArrayBuffer>): PthContent {
  const magic = unpickle(bytes);
  if (magic.value !== MAGIC) throw new InputError("it is a pickle but no PyTorch file, give one that torch.save wrote");
  const protocol = unpickle(bytes, magic.end);
  if (protocol.value !== PROTOCOL) throw broken(`its protocol is not ${PROTOCOL}`);
  const machine = unpickle(bytes, protocol.end);
  if (!(machine.value instanceof Map) || machine.value.get("little_endian") !== true) {
    throw new InputError("its byte order is not 'little', only that can be read");
  }
  const object = unpickle(bytes, machine.end);
  const keys = unpickle(bytes, object.end);
  return { value: object.value, storages: findElements(bytes, keys.end, orderStorages(keys.value, object.storages)) };
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

function findElements(
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
  storages: readonly PickledStorage[],
): Map<string, Uint8Array<ArrayBuffer>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  let at = start;
  for (const { key, dtype, elements } of storages) {
    if (at + COUNT_BYTES > bytes.byteLength) throw broken("it is cut off");
    const size = elements * DTYPE_BYTES[dtype];
    if (view.getBigInt64(at, true) !== BigInt(elements)) throw broken(`its storage ${quoted(key)} has another size`);
    at += COUNT_BYTES;
    if (at + size > bytes.byteLength) throw broken("it is cut off");
    found.set(key, bytes.subarray(at, at + size));
    at += size;
  }
  if (at !== bytes.byteLength) throw broken("something follows its elements");
  return found;
}

function broken(reason: string): InputError {
  return new InputError(`it is broken, ${reason}`);
}
