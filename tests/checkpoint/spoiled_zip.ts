// Spoiled zip archives by their fault: a valid one with one changed number.

import fc from "fast-check";
import type { SpoiledFiles } from "./spoiled_pth.ts";

type File = Uint8Array<ArrayBuffer>;

const END_BYTES = 22;
const SIGNATURES = { local: 0x0403_4b50, central: 0x0201_4b50, end: 0x0605_4b50, end64: 0x0606_4b50 };
const NUMBERS = [0, 1, 2, 21, 46, 0x7fff, 0xffff, 0x10000, 0x7fff_ffff, 0xffff_fffe, 0xffff_ffff];

/** Offsets of a file in an archive. */
interface Entry {
  readonly name: string;
  readonly central: number;
  readonly local: number;
}

/** Writes numbers into a copy: the place, how many bytes it has, and the number. */
function patched(file: File, ...numbers: readonly (readonly [at: number, bytes: 2 | 4 | 8, value: number])[]): File {
  const copy = file.slice();
  const view = new DataView(copy.buffer);
  for (const [at, bytes, value] of numbers) {
    if (bytes === 2) view.setUint16(at, value % 0x10000, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
  }
  return copy;
}

function directory(file: File): Entry[] {
  const view = new DataView(file.buffer);
  const entries: Entry[] = [];
  let central = view.getUint32(file.length - END_BYTES + 16, true);
  while (view.getUint32(central, true) === SIGNATURES.central) {
    const nameBytes = view.getUint16(central + 28, true);
    const name = new TextDecoder().decode(file.subarray(central + 46, central + 46 + nameBytes));
    entries.push({ name, central, local: view.getUint32(central + 42, true) });
    central += 46 + nameBytes + view.getUint16(central + 30, true) + view.getUint16(central + 32, true);
  }
  return entries;
}

/** Where the numbers of the directory's end are: its files and its first byte. */
function endOf(file: File): { count: [number, 2 | 8]; begin: [number, 4 | 8]; signature: number } {
  const view = new DataView(file.buffer);
  const at = directory(file).reduce(
    (end, { central }) => Math.max(end, central + 46 + view.getUint16(central + 28, true)),
    0,
  );
  return view.getUint32(at, true) === SIGNATURES.end64
    ? { count: [at + 32, 8], begin: [at + 48, 8], signature: at }
    : { count: [at + 10, 2], begin: [at + 16, 4], signature: at };
}

/** Makes archives that nothing may take. */
export function refusedArchives(format: string, file: File): SpoiledFiles {
  const entries = directory(file);
  const needed = entries.filter(({ name }) => /\/(data\.pkl|data\/\d+)$/.test(name));
  const entry = fc.constantFrom(...entries);
  const number = fc.oneof(fc.constantFrom(...NUMBERS), fc.nat(0xffff_ffff));
  const { count, begin, signature } = endOf(file);
  // Names of equal length, so that one can take the other's place.
  const pair = fc.tuple(fc.constantFrom(...needed), fc.constantFrom(...needed)).filter(([a, b]) =>
    a !== b && a.name.length === b.name.length
  );
  const renamed = (copy: File, { central, local }: Entry, name: string) => {
    for (const at of [central + 46, local + 30]) copy.set(new TextEncoder().encode(name), at);
    return copy;
  };
  const kinds: SpoiledFiles = {
    "cut off": fc.nat(file.length - 1).map((length) => file.slice(0, length)),
    "with more behind it": fc.uint8Array({ minLength: 1, maxLength: 99 }).map((bytes) =>
      Uint8Array.of(...file, ...bytes)
    ),
    "with a name twice": pair.map(([a, b]) => renamed(file.slice(), a, b.name)),
    "with two files in one place": pair.map(([a, b]) => patched(file, [a.central + 42, 4, b.local])),
    "with two names for one place": pair.map(([a, b]) =>
      patched(renamed(file.slice(), a, b.name), [a.central + 42, 4, b.local])
    ),
    "with a file in another place": fc.tuple(entry, number).filter(([{ local }, place]) => place !== local).map((
      [{ central }, place],
    ) => patched(file, [central + 42, 4, place])),
    "with a file of another size": fc.tuple(fc.constantFrom(...needed), number).filter(([{ central }, size]) =>
      size !== new DataView(file.buffer).getUint32(central + 20, true)
    ).map(([{ central }, size]) => patched(file, [central + 20, 4, size], [central + 24, 4, size])),
    "with a compressed or encrypted file": fc.tuple(entry, fc.constantFrom(1, 8, 9, 12, 99, 0xffff), fc.boolean()).map(
      ([{ central }, value, method]) => patched(file, [central + (method ? 10 : 8), 2, value | 1]),
    ),
    "with two sizes of a file": fc.tuple(entry, number, fc.boolean()).filter(([{ central }, size]) =>
      size !== new DataView(file.buffer).getUint32(central + 20, true)
    ).map(([{ central }, size, first]) => patched(file, [central + (first ? 20 : 24), 4, size])),
    "with a spoiled mark": fc.tuple(entry, fc.nat(2), fc.nat(3), fc.integer({ min: 1, max: 255 })).map(
      ([{ central, local }, which, byte, change]) => {
        const copy = file.slice();
        const at = ([central, local, signature][which] ?? 0) + byte;
        copy[at] = (copy[at] ?? 0) ^ change;
        return copy;
      },
    ),
    "with a name's length changed": fc.tuple(entry, number, fc.boolean()).filter(([{ name }, length]) =>
      length % 0x10000 !== name.length
    ).map(([{ central, local }, length, first]) => patched(file, [first ? central + 28 : local + 26, 2, length])),
    "with another count of files": number.filter((value) => value % 0x10000 !== entries.length).map((value) =>
      patched(file, [...count, value])
    ),
    "with its directory in another place": number.filter((value) => value !== entries[0]?.central).map((value) =>
      patched(file, [...begin, value])
    ),
  };
  return Object.fromEntries(Object.entries(kinds).map(([kind, files]) => [`(${format}) ${kind}`, files]));
}
