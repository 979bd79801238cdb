// Spoiled checkpoints by their fault: a valid one with one change.

import fc from "fast-check";
import { DTYPE_BYTES, isDType } from "../../src/checkpoint/tensor.ts";
import {
  DATA_BYTES,
  fileOf,
  headerOf,
  metadataField,
  PLACED,
  type Placed,
  SOUND,
  tensorDraft,
  withField,
  withTensor,
} from "./safetensors_draft.ts";

type File = Uint8Array<ArrayBuffer>;

/** Files by their description. */
export type SpoiledFiles = Readonly<Record<string, fc.Arbitrary<File>>>;

const SOUND_HEADER = headerOf(SOUND);
const SOUND_FILE = fileOf(SOUND_HEADER);
const HEADER_BYTES = SOUND_FILE.byteLength - 8 - DATA_BYTES;
const EMPTY: Placed = { dtype: "U8", shape: [0], begin: 0, end: 0 };

const tensor = fc.nat(PLACED.length - 1);
const anyTensor = fc.nat(SOUND.tensors.length - 1);
const metadataIndex = fc.nat(SOUND.metadata.length - 1);
const bytes = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength });
// Names that mean something to JavaScript, and any others.
const name = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "prototype", "", "\ud800", "\u2028\x9b\n"),
  fc.string({ unit: "binary", maxLength: 200 }),
);

/** Files whose range of one tensor is another one. */
function ranged(range: (begin: number, end: number, by: number) => [number, number]): fc.Arbitrary<File> {
  return fc.tuple(tensor, fc.integer({ min: 1, max: 200 })).map(([index, by]) => {
    const { begin, end } = PLACED[index] ?? EMPTY;
    return fileOf(headerOf(withField(SOUND, index, ["data_offsets", JSON.stringify(range(begin, end, by))])));
  });
}

/** Files with one of several texts as a field of a tensor. */
function fielded(key: string, ...texts: readonly string[]): fc.Arbitrary<File> {
  return fc.tuple(anyTensor, fc.constantFrom(...texts)).map(([index, text]) =>
    fileOf(headerOf(withField(SOUND, index, [key, text])))
  );
}

/** Files with one of several texts as a field of the checkpoint's metadata, or without it. */
function checkpointed(texts: readonly (string | undefined)[], not: readonly string[] = []): fc.Arbitrary<File> {
  const keys = SOUND.metadata.map(([key]) => String(JSON.parse(key))).filter((key) => !not.includes(key));
  return fc.tuple(fc.constantFrom(...keys), fc.constantFrom(...texts)).map(([key, text]) => {
    const others = SOUND.metadata.filter(([other]) => other !== JSON.stringify(key));
    const metadata = text === undefined ? others : [...others, metadataField(key, text)];
    return fileOf(headerOf({ ...SOUND, metadata }));
  });
}

function spliced(file: File, at: number, remove: number, insert: Uint8Array): File {
  return Uint8Array.of(...file.subarray(0, at), ...insert, ...file.subarray(at + remove));
}

function nested(depth: number, object: boolean): string {
  return object ? '{"a":'.repeat(depth) + "0" + "}".repeat(depth) : "[".repeat(depth) + "]".repeat(depth);
}

const NO_OBJECTS = ["null", "1", '"word"', "true", "[]", "[{}]"];
const NO_COUNTS = ["-1", "0.5", "1e999", "-1e999", "9007199254740993", "1e300", "null", "true", '"2"', "[2]", "{}"];
// What some JSON readers take for a number.
const NO_JSON = ["NaN", "Infinity", "-Infinity", "+1", "01", ".5", "1.", "0x8", "1n", "1_0", "", "undefined", "'2'"];

/** Files that neither reader may take. */
export const REFUSED: SpoiledFiles = {
  "whose header's length goes beyond the file": fc.bigInt({
    min: BigInt(HEADER_BYTES + DATA_BYTES + 1),
    max: 2n ** 64n - 1n,
  })
    .map((length) => {
      const file = SOUND_FILE.slice();
      new DataView(file.buffer).setBigUint64(0, length, true);
      return file;
    }),
  "cut off anywhere": fc.nat(SOUND_FILE.byteLength - 1).map((length) => SOUND_FILE.slice(0, length)),
  "with bytes after the last tensor": bytes(64).map((more) => spliced(SOUND_FILE, SOUND_FILE.byteLength, 0, more)),
  "with bytes that are no UTF-8 in the header": fc.tuple(fc.nat(HEADER_BYTES - 1), fc.integer({ min: 0xf8, max: 0xff }))
    .map(([at, byte]) => spliced(SOUND_FILE, 8 + at, 1, Uint8Array.of(byte))),
  "whose header is only white space": fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r"), maxLength: 4000 }).map((
    header,
  ) => fileOf(header)),
  "whose header is JSON but no object": fc.json().filter((json) => !json.startsWith("{")).map((json) => fileOf(json)),
  "with a range that overlaps another": ranged((begin, end, by) =>
    begin < by ? [begin + 1, end + 1] : [begin - by, end - by]
  ),
  "with a range after a gap or beyond the file": ranged((begin, end, by) => [begin + by, end + by]),
  "with a range far beyond the file": ranged((begin, end, by) => [begin + by * 2 ** 40, end + by * 2 ** 40]),
  "with a range turned round": ranged((begin, end) => [end, begin]),
  "with a range of another length": ranged((begin, end, by) => [begin, end + by]),
  "with two tensors of the same bytes": fc.tuple(tensor, fc.nat(7)).map(([index, less]) => {
    const { begin, end } = PLACED[index] ?? EMPTY;
    const shape = [Math.max(1, end - begin - less)];
    const twin = tensorDraft("twin", { dtype: "U8", shape, begin: end - (shape[0] ?? 0), end });
    return fileOf(headerOf({ ...SOUND, tensors: [...SOUND.tensors, twin] }));
  }),
  "with a tensor in the place of another": fc.tuple(tensor, tensor).filter(([a, b]) => a !== b).map(([a, b]) => {
    const { begin, end } = PLACED[b] ?? EMPTY;
    return fileOf(headerOf(withField(SOUND, a, ["data_offsets", JSON.stringify([begin, end])])));
  }),
  "with a tensor larger than the file": fc.tuple(tensor, fc.integer({ min: 1, max: 2 ** 40 })).map(([index, more]) => {
    const { begin } = PLACED[index] ?? EMPTY;
    const placed: Placed = { dtype: "U8", shape: [DATA_BYTES + more], begin, end: begin + DATA_BYTES + more };
    return fileOf(headerOf(withTensor(SOUND, index, () => tensorDraft("large", placed))));
  }),
  "with a type of another size": fc.tuple(tensor, fc.constantFrom(...Object.keys(DTYPE_BYTES).filter(isDType)))
    .filter(([index, dtype]) => DTYPE_BYTES[dtype] !== DTYPE_BYTES[(PLACED[index] ?? EMPTY).dtype])
    .map(([index, dtype]) => fileOf(headerOf(withField(SOUND, index, ["dtype", JSON.stringify(dtype)])))),
  "with a type that is none": fielded(
    "dtype",
    '"F31"',
    '"f32"',
    '""',
    '"__proto__"',
    '"constructor"',
    '"F32 "',
    "4",
    "null",
    "true",
    '["F32"]',
    "{}",
    '{"toString":1}',
    '{"toString":null,"valueOf":{}}',
  ),
  "with a shape that is none": fielded(
    "shape",
    ...NO_OBJECTS.filter((text) => text !== "[]"),
    ...NO_COUNTS.map((text) => `[3,${text}]`),
  ),
  "with a shape that overflows": fielded(
    "shape",
    "[4294967296,4294967296]",
    "[9007199254740991,9]",
    "[1e15,1e15,0]",
    "[1e308]",
  ),
  "with a shape of very many dimensions": fc.tuple(anyTensor, fc.integer({ min: 65, max: 20_000 })).map((
    [index, count],
  ) => fileOf(headerOf(withField(SOUND, index, ["shape", JSON.stringify(new Array(count).fill(1))])))),
  "with a range that is none": fielded(
    "data_offsets",
    ...NO_OBJECTS,
    ...NO_COUNTS.map((text) => `[0,${text}]`),
    "[0]",
    "[0,8,8]",
  ),
  "with numbers that JSON does not have": fc.tuple(
    anyTensor,
    fc.constantFrom("shape", "data_offsets"),
    fc.constantFrom(...NO_JSON),
  )
    .map(([index, key, text]) => fileOf(headerOf(withField(SOUND, index, [key, `[0,${text}]`])))),
  "with a tensor that is no object": fc.tuple(anyTensor, fc.constantFrom(...NO_OBJECTS)).map(([index, text]) =>
    fileOf(
      SOUND_HEADER.replace(/("layer\.(\d)":)\{[^}]*\}/g, (entry, key, at) => Number(at) === index ? key + text : entry),
    )
  ),
  "with a tensor that lacks a field": fc.tuple(anyTensor, fc.nat(2)).map(([index, field]) =>
    fileOf(headerOf(withTensor(SOUND, index, (draft) => ({ ...draft, fields: draft.fields.toSpliced(field, 1) }))))
  ),
  "with a tensor's field twice": fc.tuple(anyTensor, fc.nat(2)).map(([index, field]) =>
    fileOf(
      headerOf(
        withTensor(
          SOUND,
          index,
          (draft) => ({ ...draft, fields: [...draft.fields, ...draft.fields.slice(field, field + 1)] }),
        ),
      ),
    )
  ),
  "with a tensor's name twice, once perhaps escaped": fc.tuple(anyTensor, fc.boolean()).map(([index, escaped]) => {
    const twin = `"layer.${index}"`;
    const again = { ...tensorDraft("", EMPTY), name: escaped ? twin.replace("l", String.raw`\u006c`) : twin };
    return fileOf(headerOf({ ...SOUND, tensors: [...SOUND.tensors, again] }));
  }),
  "with a word of the metadata twice": metadataIndex.map((index) =>
    fileOf(headerOf({ ...SOUND, metadata: [...SOUND.metadata, ...SOUND.metadata.slice(index, index + 1)] }))
  ),
  "with metadata that is no string": fc.tuple(metadataIndex, fc.constantFrom("null", "1", "true", "[]", "{}", '["2"]'))
    .map(
      ([index, text]) =>
        fileOf(
          headerOf({
            ...SOUND,
            metadata: SOUND.metadata.map(([key, value], at) => [key, at === index ? text : value]),
          }),
        ),
    ),
  "with metadata that is no object": fc.constantFrom(...NO_OBJECTS).map((text) =>
    fileOf(`{"__metadata__":${text}}`, 0)
  ),
  "that is nested deeply": fc.tuple(
    anyTensor,
    fc.constantFrom("dtype", "shape", "data_offsets"),
    fc.integer({ min: 3, max: 5000 }),
    fc.boolean(),
  )
    .map(([index, key, depth, object]) => fileOf(headerOf(withField(SOUND, index, [key, nested(depth, object)])))),
};

/** Files that are sound safetensors, but that openCheckpoint() may not take. */
export const NO_CHECKPOINT: SpoiledFiles = {
  "that lacks a field": checkpointed([undefined], ["training"]),
  "with a field that is no JSON": checkpointed(["", "{", "<pad>", "NaN", "'a'", "[1,]", '{"a":1,"a":2}']),
  "with a field of another type": checkpointed([
    "null",
    "true",
    "-1",
    "0.5",
    "1e999",
    '[{"toString":1}]',
    '{"__proto__":[]}',
  ], ["metrics"]),
  "with settings nested deeply": fc.tuple(fc.integer({ min: 9, max: 5000 }), fc.boolean()).map(([depth, object]) => {
    const metadata = SOUND.metadata.map(([key, text]) =>
      key === '"training"'
        ? metadataField("training", JSON.parse(text).replace('"name":"lrcn"', `"name":${nested(depth, object)}`))
        : [key, text] as const
    );
    return fileOf(headerOf({ ...SOUND, metadata }));
  }),
  "with a field nested deeply": fc.tuple(fc.integer({ min: 9, max: 5000 }), fc.boolean()).chain(([depth, object]) =>
    checkpointed([nested(depth, object)])
  ),
};

/** Files that are sound. */
export const SOUND_FILES: SpoiledFiles = {
  "with other elements": fc.tuple(fc.nat(DATA_BYTES - 1), bytes(DATA_BYTES)).map(([at, other]) =>
    spliced(
      SOUND_FILE,
      8 + HEADER_BYTES + at,
      Math.min(other.length, DATA_BYTES - at),
      other.subarray(0, DATA_BYTES - at),
    )
  ),
  "with any name of a tensor": name.filter((word) => word !== "__metadata__" && !word.startsWith("layer.")).map((
    word,
  ) => fileOf(headerOf({ ...SOUND, tensors: SOUND.tensors.with(1, tensorDraft(word, PLACED[1] ?? EMPTY)) }))),
  "with any further metadata": fc.tuple(
    name.filter((key) => !SOUND.metadata.some(([known]) => JSON.parse(known) === key)),
    name,
  ).map(
    ([key, value]) => fileOf(headerOf({ ...SOUND, metadata: [...SOUND.metadata, metadataField(key, value)] })),
  ),
  "with white space in the header": fc.tuple(fc.constantFrom(" ", "\n", "\t \r"), fc.nat(3000)).map(([space, count]) =>
    fileOf(SOUND_HEADER.replaceAll(/([{,:])"/g, `$1${space}"`) + " ".repeat(count))
  ),
};

/** Files of which some are valid. */
export const CHANGED: SpoiledFiles = {
  "with some bits turned over": fc.array(fc.nat(SOUND_FILE.byteLength * 8 - 1), { minLength: 1, maxLength: 8 }).map(
    (bits) => {
      const file = SOUND_FILE.slice();
      for (const bit of bits) file[bit >> 3] = (file[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return file;
    },
  ),
  "with a character of the header turned into another of JSON": fc.tuple(
    fc.nat(HEADER_BYTES - 1),
    fc.constantFrom(...'{}[]",:\\-.e0 19tfnu'),
  )
    .map(([at, character]) => spliced(SOUND_FILE, 8 + at, 1, new TextEncoder().encode(character))),
  "with bytes taken out and others put in": fc.tuple(
    fc.nat(SOUND_FILE.byteLength),
    fc.nat(40),
    fc.uint8Array({ maxLength: 40 }),
  )
    .map(([at, remove, insert]) => spliced(SOUND_FILE, at, remove, insert)),
  "with a header of random JSON": fc.tuple(fc.json(), fc.nat(20)).map(([json, dataBytes]) => fileOf(json, dataBytes)),
  "of random bytes": bytes(60).map((random) => random.slice()),
};
