// PyTorch files by their parts, in both formats, so that tests can spoil one part and leave the others sound.
//
// A pickle is written as a string with one character per byte.

import { zipSync } from "fflate";

type File = Uint8Array<ArrayBuffer>;

/** The parts of a pickled state_dict that may be spoiled: each an expression of the pickle's language. */
export interface Parts {
  /** The bytes before the dict. */
  readonly before: string;
  /** The first tensor's name. */
  readonly name: string;
  /** The first tensor; if it is given, those below are not in the pickle. */
  readonly value: string | undefined;
  /** The tuple that names the first storage; likewise. */
  readonly storage: string | undefined;
  /** The storage's class. */
  readonly type: string;
  /** The storage's key. */
  readonly key: string;
  /** The storage's elements. */
  readonly elements: string;
  /** The first element's index. */
  readonly offset: string;
  /** The sizes. */
  readonly shape: string;
  /** The strides. */
  readonly strides: string;
}

/** A file in parts. */
export interface Draft {
  /** The object's pickle, with the word that its format has for no view. */
  readonly pickle: (view: string) => string;
  /** Elements by the key of their storage. */
  readonly storages: Readonly<Record<string, File>>;
}

/** What an old file has around its object. */
export interface LegacyParts {
  /** The pickle of the magic number. */
  readonly magic: string;
  /** The pickle of the protocol's number. */
  readonly protocol: string;
  /** The pickle of the machine's byte order and sizes. */
  readonly machine: string;
  /** The pickle of the storages' keys. */
  readonly keys: string;
  /** The element counts. */
  readonly counts: readonly bigint[];
  /** What follows the elements. */
  readonly after: string;
}

const STORAGES: Draft["storages"] = {
  "0": Uint8Array.from({ length: 24 }, (_, index) => index),
  "1": new Uint8Array(16).fill(7),
};
const ELEMENT_BYTES: Readonly<Record<string, number>> = { "0": 4, "1": 8 };
// Any fixed day: the clock's would make other bytes at each run.
const DAY = new Date(1990, 0, 1);

/** A string's characters as bytes. */
export function latin1(text: string): File {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** A number as little-endian bytes, two's complement. */
export function littleEndian(value: bigint, bytes: number): string {
  return Array.from({ length: bytes }, (_, index) => char(Number((value >> BigInt(8 * index)) & 255n))).join("");
}

/** Pickles a string. */
export function text(value: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(value));
  return `X${littleEndian(BigInt(bytes.length), 4)}${bytes}`;
}

/** Pickles an integer as LONG1. */
export function long(value: bigint, bytes = 16): string {
  return `\x8a${char(bytes)}${littleEndian(value, bytes)}`;
}

/** Pickles a byte. */
export function int(value: number): string {
  return `K${char(value)}`;
}

/** Pickles a double. */
export function float(value: number): string {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return `G${String.fromCharCode(...bytes)}`;
}

/** Pickles a tuple of expressions. */
export function tuple(...items: readonly string[]): string {
  return `(${items.join("")}t`;
}

/** Pickles the import of a name. */
export function global(module: string, name: string): string {
  return `c${module}\n${name}\n`;
}

/** A whole pickle of an expression. */
export function pickle(expression: string): string {
  return `\x80\x02${expression}.`;
}

/** Pickles a tensor. */
function tensor(storage: string, offset: string, shape: string, strides: string): string {
  const hooks = `${global("collections", "OrderedDict")})R`;
  return `${global("torch._utils", "_rebuild_tensor_v2")}${
    tuple(`${storage}Q`, offset, shape, strides, "\x89", hooks)
  }R`;
}

/** A state_dict of three tensors, two of which share a storage. */
export function stateDict(parts: Partial<Parts> = {}): Draft {
  const { before = "", name = text("a"), key = text("0"), elements = int(6), offset = int(0) } = parts;
  const { type = global("torch", "FloatStorage"), shape = tuple(int(2), int(3)), strides = tuple(int(3), int(1)) } =
    parts;
  return {
    storages: STORAGES,
    pickle(view) {
      const described = (type: string, key: string, elements: string) =>
        tuple(text("storage"), type, key, text("cpu"), elements, view);
      const floats = described(global("torch", "FloatStorage"), text("0"), int(6));
      const longs = described(global("torch", "LongStorage"), text("1"), int(2));
      const { storage = described(type, key, elements) } = parts;
      const { value = tensor(storage, offset, shape, strides) } = parts;
      const entries = [
        [name, value],
        [text("b"), tensor(floats, int(1), tuple(int(3)), tuple(int(2)))],
        [text("c"), tensor(longs, int(0), tuple(int(2)), tuple(int(1)))],
      ];
      return pickle(`${before}}(${entries.flat().join("")}u`);
    },
  };
}

/** A draft in the format since PyTorch 1.6. */
export function zipFile({ pickle, storages }: Draft): File {
  const entries = Object.entries(storages).map(([key, bytes]) => [`a/data/${key}`, bytes]);
  return zipSync(
    { "a/data.pkl": latin1(pickle("")), "a/byteorder": latin1("little"), ...Object.fromEntries(entries) },
    { level: 0, mtime: DAY },
  );
}

/** A draft in the format before PyTorch 1.6. */
export function legacyFile({ pickle: object, storages }: Draft, parts: Partial<LegacyParts> = {}): File {
  const {
    magic = pickle(long(0x1950_a86a_20f9_469c_fc6cn, 10)),
    protocol = pickle("M\xe9\x03"),
    machine = pickle(`}${text("little_endian")}\x88s`),
    keys = pickle(`](${Object.keys(storages).map(text).join("")}e`),
    counts = Object.entries(storages).map(([key, bytes]) => BigInt(bytes.length / (ELEMENT_BYTES[key] ?? 1))),
    after = "",
  } = parts;
  const elements = Object.values(storages).map((bytes, index) =>
    littleEndian(counts[index] ?? 0n, 8) + String.fromCharCode(...bytes)
  );
  return latin1([magic, protocol, machine, object("N"), keys, ...elements, after].join(""));
}

/** The character of a byte. */
export function char(byte: number): string {
  return String.fromCharCode(byte);
}
