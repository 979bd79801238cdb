import assert from "node:assert/strict";
import { readSafetensors, writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import { InputError } from "../../src/input_error.ts";
import golden from "../golden/checkpoint/python.safetensors.json" with { type: "json" };
import { canRead } from "../support/test_data.ts";
import { counting, elements, namesIn, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const GOLDEN = new URL("../golden/checkpoint/python.safetensors", import.meta.url).pathname;

/** A file of a header and as many bytes of data. */
function fileOf(header: string | Uint8Array, dataBytes: number, claimedLength?: bigint): Uint8Array {
  const bytes = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + bytes.byteLength + dataBytes);
  new DataView(file.buffer).setBigUint64(0, claimedLength ?? BigInt(bytes.byteLength), true);
  file.set(bytes, 8);
  return file;
}

Deno.test({
  name: "readSafetensors() reads files written by Python's safetensors",
  ignore: !canRead,
  async fn() {
    using file = await readSafetensors(GOLDEN);
    assert.deepEqual({ ...file.metadata }, { lrcn: "1", words: '["dög", "🐕"]' });
    assert.deepEqual([...file.tensors.keys()].sort(), Object.keys(golden).sort());
    for (const [name, { shape, values }] of Object.entries(golden)) {
      const tensor = file.tensors.get(name);
      assert.ok(tensor);
      assert.deepEqual(tensor.shape, shape);
      assert.deepEqual(elements(tensor.dtype, await tensor.read()), values, name);
    }
  },
});

Deno.test({
  name: "writeSafetensors() writes the bytes that Python's safetensors wrote, from the same tensors in another order",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    using file = await readSafetensors(GOLDEN);
    const tensors = [...file.tensors].reverse().map(([name, tensor]) => ({ name, ...tensor }));
    await writeSafetensors(folder.file("ours"), { metadata: file.metadata, tensors });
    using ours = await readSafetensors(folder.file("ours"));
    assert.deepEqual([...ours.tensors.keys()], [...file.tensors.keys()]);
    assert.deepEqual(ours.metadata, file.metadata);
    // The header's key order is free; the data's is not.
    const data = (await Deno.readFile(folder.file("ours"))).slice(-146);
    assert.deepEqual(data, (await Deno.readFile(GOLDEN)).slice(-146));
  },
});

Deno.test({
  name: "readSafetensors() returns what writeSafetensors() wrote, reading several tensors at once",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("weights.safetensors");
    const sources = [
      counting("bytes", "U8", [3]),
      counting("__proto__", "F32", [2, 3]),
      counting('a "quoted"\nname 🐕', "F64", []),
      counting("steps", "I64", [1]),
      counting("empty", "F32", [0, 7]),
    ];
    const metadata = Object.fromEntries([["__proto__", "a word"], ["constructor", "é"]]);
    await writeSafetensors(path, { metadata, tensors: sources });
    assert.deepEqual(namesIn(folder.path), ["weights.safetensors"]);
    using file = await readSafetensors(path);
    assert.deepEqual(Object.entries(file.metadata).sort(), [["__proto__", "a word"], ["constructor", "é"]]);
    assert.equal(Object.getPrototypeOf(file.metadata), null);
    assert.equal(file.tensors.size, sources.length);
    await Promise.all(sources.map(async ({ name, dtype, shape, read }) => {
      const tensor = file.tensors.get(name);
      assert.ok(tensor);
      assert.equal(tensor.dtype, dtype);
      assert.deepEqual(tensor.shape, shape);
      assert.deepEqual(await tensor.read(), await read());
    }));
  },
});

Deno.test({
  name: "writeSafetensors() writes the same bytes for metadata and tensors in another order",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const tensors = [counting("b", "F32", [1]), counting("a", "F32", [2]), counting("c", "F64", [1])];
    await writeSafetensors(folder.file("one"), { metadata: { x: "1", y: "2" }, tensors });
    await writeSafetensors(folder.file("two"), { metadata: { y: "2", x: "1" }, tensors: tensors.reverse() });
    assert.deepEqual(await Deno.readFile(folder.file("one")), await Deno.readFile(folder.file("two")));
  },
});

Deno.test({
  name: "writeSafetensors() begins the data at a multiple of 8 bytes and each tensor at one of its element's size",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    for (const name of ["a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"]) {
      const path = folder.file(name);
      await writeSafetensors(path, {
        metadata: {},
        tensors: [counting(name, "U8", [3]), counting("x", "F32", [1]), counting("y", "F64", [1])],
      });
      const bytes = await Deno.readFile(path);
      const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
      assert.equal(length % 8, 0);
      const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
      assert.deepEqual(header.y.data_offsets, [0, 8]);
      assert.deepEqual(header.x.data_offsets, [8, 12]);
      assert.deepEqual(header[name].data_offsets, [12, 15]);
    }
  },
});

Deno.test({
  name: "writeSafetensors() rejects two tensors of one name, the reserved name, and elements that do not fit the shape",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("weights.safetensors");
    const one = counting("a", "F32", [2]);
    const write = (...tensors: typeof one[]) => writeSafetensors(path, { metadata: {}, tensors });
    await assert.rejects(write(one, one), TypeError);
    await assert.rejects(write(counting("__metadata__", "F32", [2])), TypeError);
    await assert.rejects(write({ ...one, shape: [3] }), RangeError);
    await assert.rejects(write({ ...one, shape: [-2] }), RangeError);
    assert.deepEqual(namesIn(folder.path), []);
  },
});

const A = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
const HOSTILE: [string, Uint8Array, RegExp][] = [
  ["empty", new Uint8Array(0), /not a safetensors file, it has only 0 bytes$/],
  [
    "text",
    new TextEncoder().encode("image,caption\n1.jpg,a dog\n"),
    /not a safetensors file, its header would be longer/,
  ],
  ["a header longer than the file", fileOf("{}", 0, 3n), /header would be longer than it can be$/],
  ["a header length with the top bit", fileOf("{}", 0, 0x8000_0000_0000_0000n), /header would be longer/],
  ["no JSON", fileOf("{nonsense}", 0), /its header is not JSON$/],
  ["an empty header", fileOf("", 0), /its header is not JSON$/],
  ["a list", fileOf("[]", 0), /its header is not a JSON object$/],
  ["null", fileOf("null", 0), /its header is not a JSON object$/],
  ["no UTF-8", fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x30, 0x7d), 0), /its header is not UTF-8$/],
  ["a name twice", fileOf(`{${A},${A}}`, 8), /'a' occurs twice$/],
  ["a name twice, once escaped", fileOf(`{${A},${A.replace('"a"', String.raw`"\u0061"`)}}`, 8), /'a' occurs twice$/],
  ["a field twice", fileOf(`{${A.replace("{", '{"dtype":"U8",')}}`, 8), /'dtype' occurs twice$/],
  ["deep nesting", fileOf(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, 0), /nested more than 3 levels deep$/],
  ["a number for a tensor", fileOf('{"a":1}', 0), /the tensor 'a' is not described by an object$/],
  ["an unknown type", fileOf(`{${A.replace("F32", "F31")}}`, 8), /'a' has the type 'F31', supported are F64, F32,/],
  ["a type of the prototype", fileOf(`{${A.replace("F32", "constructor")}}`, 8), /has the type 'constructor'/],
  ["a missing shape", fileOf('{"a":{"dtype":"F32","data_offsets":[0,8]}}', 8), /shape of the tensor 'a' is not a list/],
  ["a negative size", fileOf(`{${A.replace("[2]", "[-2,-1]")}}`, 8), /shape of the tensor 'a' is not a list of sizes$/],
  ["half a size", fileOf(`{${A.replace("[2]", "[0.5,4]")}}`, 8), /shape of the tensor 'a' is not a list of sizes$/],
  ["a size beyond integers", fileOf(`{${A.replace("[2]", "[9007199254740993]")}}`, 8), /is not a list of sizes$/],
  ["an overflow", fileOf(`{${A.replace("[2]", "[4294967296,4294967296]")}}`, 8), /larger than any file$/],
  ["three offsets", fileOf(`{${A.replace("[0,8]", "[0,8,8]")}}`, 8), /range of the tensor 'a' is not two offsets$/],
  ["a range turned round", fileOf(`{${A.replace("[0,8]", "[8,0]")}}`, 8), /needs 8 bytes, but its range is 8 to 0$/],
  ["a range too short", fileOf(`{${A.replace("[0,8]", "[0,4]")}}`, 8), /needs 8 bytes, but its range is 0 to 4$/],
  ["a gap", fileOf(`{${A.replace("[0,8]", "[4,12]")}}`, 12), /'a' leaves a gap before it$/],
  ["an overlap", fileOf(`{${A},${A.replace('"a"', '"b"').replace("[0,8]", "[4,12]")}}`, 12), /'b' overlaps the one/],
  ["bytes after", fileOf(`{${A}}`, 9), /its tensors take 8 bytes, but it has 9$/],
  ["cut off", fileOf(`{${A}}`, 7), /its tensors take 8 bytes, but it has 7$/],
  ["metadata that is no object", fileOf('{"__metadata__":[]}', 0), /'__metadata__' in its header is not an object$/],
  ["metadata that is no string", fileOf('{"__metadata__":{"k":1}}', 0), /the metadata 'k' is not a string$/],
];

for (const [name, bytes, message] of HOSTILE) {
  Deno.test({
    name: `readSafetensors() rejects ${name} with one line that contains the path`,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      const path = folder.file("hostile.safetensors");
      await Deno.writeFile(path, bytes);
      await assert.rejects(readSafetensors(path), (error) => {
        assert.ok(error instanceof InputError);
        assert.ok(error.message.startsWith(`Cannot read '${path}': `), error.message);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    },
  });
}

Deno.test({
  name: "readSafetensors() rejects a header of more than 100 MB before it reads it",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("hostile.safetensors");
    await Deno.writeFile(path, fileOf("{}", 0, 100_000_001n));
    await Deno.truncate(path, 100_000_009);
    await assert.rejects(readSafetensors(path), /header would be longer than it can be$/);
  },
});

Deno.test({
  name: "readSafetensors() shortens a hostile name in its message",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("hostile.safetensors");
    await Deno.writeFile(path, fileOf(JSON.stringify({ [`\n${"x".repeat(10_000)}`]: 1 }), 0));
    await assert.rejects(readSafetensors(path), (error) => {
      assert.ok(error instanceof InputError);
      assert.ok(error.message.length < 300 && !error.message.includes("\n"));
      return true;
    });
  },
});

Deno.test({
  name: "readSafetensors() reports a missing path, a folder, and a file that shrinks while it is open",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("weights.safetensors");
    await assert.rejects(readSafetensors(path), {
      name: "InputError",
      message: `Cannot read '${path}': there is no such file or folder, check the path`,
    });
    await assert.rejects(readSafetensors(folder.path), {
      name: "InputError",
      message: `Cannot read '${folder.path}': it is not a file`,
    });
    await Deno.writeFile(path, fileOf(`{${A}}`, 8));
    using file = await readSafetensors(path);
    assert.equal(Object.getPrototypeOf(file.metadata), null);
    const { size } = await Deno.stat(path);
    await Deno.truncate(path, size - 3);
    await assert.rejects(async () => await file.tensors.get("a")?.read(), /it ends at byte \d+, it changed/);
  },
});

Deno.test({
  name: "readSafetensors() lists tensors of all types, and writeSafetensors() writes them back",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const types = [
      "BOOL",
      "U8",
      "I8",
      "F8_E4M3",
      "F8_E5M2",
      "I16",
      "U16",
      "F16",
      "BF16",
      "I32",
      "U32",
      "F32",
      "I64",
      "U64",
      "F64",
      "C64",
    ];
    const sizes = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 8, 8, 8, 8];
    let offset = 0;
    const entries = types.map((dtype, index) => {
      const begin = offset;
      offset += 3 * (sizes[index] ?? 0);
      return [`t${index}`, { dtype, shape: [3], data_offsets: [begin, offset] }];
    });
    const path = folder.file("types.safetensors");
    await Deno.writeFile(path, fileOf(JSON.stringify(Object.fromEntries(entries)), offset));
    using file = await readSafetensors(path);
    assert.deepEqual([...file.tensors.values()].map(({ dtype }) => dtype), types);
    const copy = folder.file("copy.safetensors");
    await writeSafetensors(copy, {
      metadata: {},
      tensors: Array.from(file.tensors, ([name, tensor]) => ({ ...tensor, name })),
    });
    using again = await readSafetensors(copy);
    assert.deepEqual(new Set([...again.tensors.values()].map(({ dtype }) => dtype)), new Set(types));
  },
});
