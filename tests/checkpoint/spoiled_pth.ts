// Spoiled PyTorch files by their fault: a valid one with one change.

import fc from "fast-check";
import {
  char,
  type Draft,
  float,
  global,
  int,
  latin1,
  legacyFile,
  littleEndian,
  long,
  type Parts,
  stateDict,
  text,
  tuple,
} from "./pth_draft.ts";

type File = Uint8Array<ArrayBuffer>;

/** Files by their description. */
export type SpoiledFiles = Readonly<Record<string, fc.Arbitrary<File>>>;

/** Files to make from drafts, in either format, by their description. */
export type SpoiledDrafts = Readonly<Record<string, fc.Arbitrary<Draft>>>;

const SOUND = stateDict();
const SOUND_LEGACY = legacyFile(SOUND);
const SOUND_PICKLE = SOUND.pickle("");

// What the pickles of weights consist of.
const KNOWN = "\x80\x95(N\x88\x89KMJ\x8aGX\x8cU}])\x85\x86\x87taesuqr\x94hjc\x93QRb.";
const UNKNOWN = Array.from({ length: 256 }, (_, byte) => char(byte)).filter((opcode) => !KNOWN.includes(opcode));
const CALLED: readonly [string, string][] = [
  ["os", "system"],
  ["posix", "system"],
  ["nt", "system"],
  ["builtins", "eval"],
  ["builtins", "exec"],
  ["builtins", "__import__"],
  ["__builtin__", "getattr"],
  ["subprocess", "Popen"],
  ["torch", "load"],
  ["torch.storage", "_load_from_bytes"],
  ["collections", "OrderedDict.fromkeys"],
  ["__proto__", "constructor"],
  ["", ""],
  ["torch\u2028\x1b[31m", "Float\rStorage"],
];
// The argument would make a file that the test sees.
const COMMAND = text("touch ran");
const NO_COUNTS = [
  "J\xff\xff\xff\xff",
  "J\0\0\0\x80",
  long(-1n),
  long(2n ** 53n),
  long(2n ** 63n),
  long(2n ** 2000n - 1n, 255),
  long(-(2n ** 2000n), 255),
  float(0.5),
  float(-1),
  float(NaN),
  float(Infinity),
  "N",
  "\x88",
  "]",
  "}",
  ")",
  text("1"),
];
const TOO_MANY = [int(255), "M\xff\xff", "J\xff\xff\xff\x7f", long(2n ** 52n), long(2n ** 53n - 1n)];
const PIECES = ["name", "value", "storage", "type", "key", "elements", "offset", "shape", "strides"] as const;

const piece = fc.constantFrom(...PIECES);
const depth = fc.oneof({ arbitrary: fc.nat(300), weight: 40 }, { arbitrary: fc.constant(100_000), weight: 1 });
const anyBytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((bytes) => String.fromCharCode(...bytes));

/** Drafts with an expression in the place of a part. */
function spoiled(parts: fc.Arbitrary<keyof Parts>, expressions: fc.Arbitrary<string>): fc.Arbitrary<Draft> {
  return fc.tuple(parts, expressions).map(([part, expression]) => stateDict({ [part]: expression }));
}

/** Drafts with everything removed. */
function whole(pickles: fc.Arbitrary<string>): fc.Arbitrary<Draft> {
  return pickles.map((pickle) => ({ ...SOUND, pickle: () => pickle }));
}

function spliced(file: File, { at, remove, insert }: { at: number; remove: number; insert: string }): File {
  return latin1(
    String.fromCharCode(...file.subarray(0, at)) + insert + String.fromCharCode(...file.subarray(at + remove)),
  );
}

/** Names a pickle must not call. */
const calls = fc.tuple(fc.constantFrom(...CALLED), fc.boolean(), fc.nat(5)).map(([[module, name], newer, how]) => {
  const callee = newer ? `${text(module)}${text(name)}\x93` : global(module, name);
  const ways = ["", `${COMMAND}\x85R`, `${COMMAND}\x85\x81`, `${COMMAND}b`, `)R${COMMAND}\x85b`];
  return how < ways.length ? `${callee}${ways[how]}` : `(${COMMAND}i${module}\n${name}\n`;
});

const nested = fc.tuple(depth, fc.nat(3)).map(([depth, kind]) => {
  if (kind === 0) return `N${"\x85".repeat(depth)}`;
  if (kind === 1) return `${"]".repeat(depth + 1)}${"a".repeat(depth)}`;
  if (kind === 2) return `}${"N}".repeat(depth)}${"s".repeat(depth)}`;
  return `${"(".repeat(depth + 1)}${"t".repeat(depth + 1)}`;
});

/** Values that contain each other twice, so that writing one out would never end. */
const doubled = fc.tuple(fc.integer({ min: 1, max: 2000 }), fc.constantFrom("]", "N", "}", text("ab")), fc.boolean())
  .map(
    ([times, seed, once]) => `${seed}${(once ? "q\0h\0\x86" : "r\0\0\0\0j\0\0\0\0h\0\x87").repeat(times)}`,
  );

const selfReferential = fc.constantFrom(
  "]q\0h\0a",
  "]q\0(h\0h\0h\0e",
  "}q\0h\0h\0s",
  "}q\0(Nh\0u",
  "]q\0h\0\x85a",
  "]\x94h\0\x85\x94h\0h\x01ah\x01\x86",
);

/** Drafts that nothing may take. */
export const REFUSED_DRAFTS: SpoiledDrafts = {
  "that calls a function": spoiled(fc.constantFrom(...PIECES, "before"), calls),
  "that calls a function by a name made of what is no string": fc.tuple(
    fc.oneof(nested, doubled, selfReferential),
    piece,
  )
    .map(([name, part]) => stateDict({ [part]: `${text("os")}${name}\x93` })),
  "with an instruction that weights do not need": spoiled(
    fc.constantFrom(...PIECES, "before"),
    fc.tuple(fc.constantFrom(...UNKNOWN), anyBytes(20)).map(([opcode, rest]) => opcode + rest),
  ),
  "with a number that is no count": spoiled(fc.constantFrom("elements", "offset"), fc.constantFrom(...NO_COUNTS)),
  "with more elements than it has": spoiled(fc.constantFrom("elements", "offset"), fc.constantFrom(...TOO_MANY)),
  "with a size that is no count": spoiled(
    fc.constantFrom("shape", "strides"),
    fc.constantFrom(...NO_COUNTS).map((count) => tuple(int(2), count)),
  ),
  "with a view beyond its storage": fc.tuple(
    fc.constantFrom("shape", "strides"),
    fc.constantFrom(...TOO_MANY),
    fc.nat(1),
  )
    .map(([part, count, at]) => stateDict({ [part]: at === 0 ? tuple(count, int(2)) : tuple(int(2), count) })),
  "with a view larger than itself": fc.array(fc.constantFrom(...TOO_MANY), { minLength: 2, maxLength: 64 }).map((
    sizes,
  ) => stateDict({ shape: tuple(...sizes), strides: tuple(...sizes.map(() => int(0))) })),
  "with too many dimensions": fc.integer({ min: 65, max: 3000 }).map((count) => {
    const ones = tuple(...new Array<string>(count).fill(int(1)));
    return stateDict({ shape: ones, strides: ones });
  }),
  "with sizes and strides of other numbers of dimensions": fc.tuple(fc.nat(70), fc.constantFrom("shape", "strides"))
    .filter(
      ([count]) => count !== 2,
    ).map(([count, part]) => stateDict({ [part]: tuple(...new Array<string>(count).fill(int(0))) })),
  "with an integer of 255 bytes": spoiled(
    fc.constantFrom("name", "value", "storage", "type", "key", "elements", "offset"),
    fc.uint8Array({ minLength: 255, maxLength: 255 }).map((bytes) => `\x8a\xff${String.fromCharCode(...bytes)}`),
  ),
  "that is nested deeply": spoiled(fc.constantFrom("value", "storage", "type", "key", "elements", "offset"), nested),
  "with values that hold each other many times": spoiled(piece.filter((part) => part !== "name"), doubled),
  "with values that hold themselves": spoiled(piece, selfReferential),
  "with a length beyond its end": spoiled(
    fc.constantFrom(...PIECES, "before"),
    fc.integer({ min: 2 ** 20, max: 2 ** 32 - 1 }).map((length) => `X${littleEndian(BigInt(length), 4)}`),
  ),
  "with a value that is not remembered": spoiled(
    fc.constantFrom(...PIECES, "before"),
    fc.nat(2 ** 32 - 1).map((index) => `j${littleEndian(BigInt(index), 4)}`),
  ),
  "with a storage in two ways": fc.constantFrom(
    stateDict({
      type: global("torch", "DoubleStorage"),
      elements: int(3),
      shape: tuple(int(3)),
      strides: tuple(int(1)),
    }),
    stateDict({ key: text("1"), elements: int(4), shape: tuple(int(4)), strides: tuple(int(1)) }),
  ),
  "with a tensor's name twice": spoiled(fc.constant("name"), fc.constantFrom(text("b"), text("c"))),
  "with a storage that is not there": spoiled(
    fc.constant("key"),
    fc.string({ unit: "binary", maxLength: 40 }).filter((key) => key !== "0").map(text),
  ),
  "whose pickle is cut off": whole(fc.nat(SOUND_PICKLE.length - 1).map((length) => SOUND_PICKLE.slice(0, length))),
};

/** Drafts that are sound. */
export const SOUND_DRAFTS: SpoiledDrafts = {
  "with any name": spoiled(
    fc.constant("name"),
    fc.oneof(fc.constantFrom("__proto__", "constructor", "", "\ufeff"), fc.string({ unit: "binary", maxLength: 99 }))
      .filter((name) => name !== "b" && name !== "c").map(text),
  ),
  "with other elements": fc.uint8Array({ minLength: 24, maxLength: 24 }).map((bytes) => ({
    ...SOUND,
    storages: { ...SOUND.storages, "0": bytes.slice() },
  })),
  "with any view inside": fc.tuple(fc.nat(2), fc.nat(2), fc.nat(1), fc.nat(1)).map(([rows, columns, ...strides]) =>
    stateDict({
      offset: int(1),
      shape: tuple(int(rows + 1), int(columns)),
      strides: tuple(...strides.map(int)),
    })
  ),
  "with unused values beside the dict": spoiled(fc.constant("before"), fc.oneof(nested, doubled, selfReferential)),
};

/** Old files that nothing may take. */
export const REFUSED_LEGACY: SpoiledFiles = {
  "of the old format, cut off": fc.nat(SOUND_LEGACY.length - 1).map((length) => SOUND_LEGACY.slice(0, length)),
  "of the old format with more behind it": fc.uint8Array({ minLength: 1, maxLength: 99 }).map((bytes) =>
    spliced(SOUND_LEGACY, { at: SOUND_LEGACY.length, remove: 0, insert: String.fromCharCode(...bytes) })
  ),
  "of the old format with another magic number": fc.uint8Array({ maxLength: 255 }).map((bytes) =>
    legacyFile(SOUND, { magic: `\x80\x02\x8a${char(bytes.length)}${String.fromCharCode(...bytes)}.` })
  ),
  "of the old format with other counts": fc.tuple(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.boolean()).map((
    [count, first],
  ) => legacyFile(SOUND, { counts: first ? [count | 8n, 2n] : [6n, count | 8n] })),
  "of the old format with other keys": fc.oneof(
    nested,
    doubled,
    selfReferential,
    fc.constantFrom(...NO_COUNTS.filter((value) => value !== text("1"))),
  ).map(
    (value) => legacyFile(SOUND, { keys: `\x80\x02](${text("0")}${value}e.` }),
  ),
};

/** Files of which some are valid: one with any of its bytes changed. */
export function changedFiles(format: string, file: File): SpoiledFiles {
  const kinds: SpoiledFiles = {
    "with some bits turned over": fc.array(fc.nat(file.length * 8 - 1), { minLength: 1, maxLength: 8 }).map((bits) => {
      const turned = file.slice();
      for (const bit of bits) turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return turned;
    }),
    "with bytes taken out and others put in": fc.tuple(fc.nat(file.length), fc.nat(40), anyBytes(40)).map((
      [at, remove, insert],
    ) => spliced(file, { at, remove, insert })),
    "with a huge number": fc.tuple(
      fc.nat(file.length),
      fc.constantFrom(1, 2, 4, 8),
      fc.constantFrom(0xff, 0x7f),
    ).map(([at, remove, last]) => spliced(file, { at, remove, insert: `${"\xff".repeat(remove - 1)}${char(last)}` })),
  };
  return Object.fromEntries(Object.entries(kinds).map(([kind, files]) => [`(${format}) ${kind}`, files]));
}

/** Old files of which some are valid. Their elements may be any bytes: the format has no checksum. */
export const CHANGED_LEGACY: SpoiledFiles = changedFiles("old format", SOUND_LEGACY);

/** Pickles of random instructions. */
export const RANDOM_DRAFTS: SpoiledDrafts = {
  "with an instruction turned into another": whole(
    fc.tuple(fc.nat(SOUND_PICKLE.length - 1), fc.constantFrom(...KNOWN)).map(([at, opcode]) =>
      SOUND_PICKLE.slice(0, at) + opcode + SOUND_PICKLE.slice(at + 1)
    ),
  ),
  "of random instructions": whole(
    fc.array(fc.oneof(fc.constantFrom(...KNOWN), fc.constantFrom(int(0), text("a"), "q\0", "h\0", ")", "(")), {
      maxLength: 60,
    }).map((opcodes) => `\x80\x02${opcodes.join("")}.`),
  ),
};
