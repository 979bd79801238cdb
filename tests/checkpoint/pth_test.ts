import assert from "node:assert/strict";
import { readPth, writePth } from "../../src/checkpoint/pth.ts";
import { storedZip } from "../../src/checkpoint/zip.ts";
import { InputError } from "../../src/input_error.ts";
import golden from "../golden/checkpoint/torch.pth.json" with { type: "json" };
import { canRead } from "../support/test_data.ts";
import { pythonHasTorch, runPython } from "./python.ts";
import { counting, elements, namesIn, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const GOLDEN = new URL("../golden/checkpoint/", import.meta.url).pathname;
const DTYPES: Record<string, string> = {
  F64: "torch.float64",
  F32: "torch.float32",
  F16: "torch.float16",
  BF16: "torch.bfloat16",
  I64: "torch.int64",
  U8: "torch.uint8",
};

/** The state_dict of the module in tests/golden/pth.py. */
const CAPTIONER = [
  counting("embed.weight", "F32", [300, 2]),
  counting("bn1.weight", "F32", [3]),
  counting("bn1.bias", "F32", [3]),
  counting("bn1.running_mean", "F32", [3]),
  counting("bn1.running_var", "F32", [3]),
  counting("bn1.num_batches_tracked", "I64", []),
  counting("linear.weight", "F64", [5, 2]),
  counting("linear.bias", "F64", [5]),
  counting("rng", "U8", [4]),
];

for (const name of ["torch.pth", "torch_nested.pth", "torch_legacy.pth", "torch_without_crc32.pth"]) {
  Deno.test({
    name: `readPth() reads each tensor of ${name}, strided ones too, as PyTorch wrote it`,
    ignore: !canRead,
    async fn() {
      using file = await readPth(GOLDEN + name);
      const { tensors } = file;
      assert.deepEqual([...tensors.keys()], Object.keys(golden));
      for (const [name, { dtype, shape, values }] of Object.entries(golden)) {
        const tensor = tensors.get(name);
        assert.ok(tensor);
        assert.equal(DTYPES[tensor.dtype], dtype, name);
        assert.deepEqual(tensor.shape, shape, name);
        assert.deepEqual(elements(tensor.dtype, await tensor.read()), values, name);
      }
    },
  });
}

Deno.test({
  name: "writePth() writes the very bytes that PyTorch has loaded with weights_only and strict",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    await writePth(folder.file("ours.pth"), CAPTIONER);
    assert.deepEqual(namesIn(folder.path), ["ours.pth"]);
    assert.deepEqual(await Deno.readFile(folder.file("ours.pth")), await Deno.readFile(`${GOLDEN}lrcn.pth`));
  },
});

Deno.test({
  name: "writePth() writes files that PyTorch loads with weights_only and strict",
  ignore: NEEDS_FILES.ignore || !await pythonHasTorch(),
  async fn() {
    await using folder = await temporaryFolder();
    await writePth(folder.file("ours.pth"), CAPTIONER);
    const script = new URL("../golden/pth.py", import.meta.url).pathname;
    const { stdout, stderr } = await runPython([script, "verify", folder.file("ours.pth")]);
    assert.equal(new TextDecoder().decode(stdout).trim(), "torch loads it", new TextDecoder().decode(stderr));
  },
});

Deno.test({
  name: "readPth() returns what writePth() wrote, and writePth() reads one tensor at a time",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("ours.pth");
    const sources = [...CAPTIONER, counting("__proto__", "F32", [2]), counting("empty", "F32", [0, 3])];
    let reading = 0;
    await writePth(
      path,
      sources.map((source) => ({
        ...source,
        async read() {
          assert.equal(reading++, 0);
          const bytes = await source.read();
          reading--;
          return bytes;
        },
      })),
    );
    using file = await readPth(path);
    const { tensors } = file;
    assert.deepEqual([...tensors.keys()], sources.map(({ name }) => name));
    for (const { name, dtype, shape, read } of sources) {
      const tensor = tensors.get(name);
      assert.ok(tensor);
      assert.equal(tensor.dtype, dtype);
      assert.deepEqual(tensor.shape, shape);
      assert.deepEqual(await tensor.read(), await read());
    }
    await assert.rejects(writePth(path, [counting("a", "F32", [1]), counting("a", "F32", [1])]), TypeError);
  },
});

/** A PyTorch archive of a pickle and one storage, `0`. */
async function archive(pickle: string, storageBytes = 8, byteOrder = "little"): Promise<Uint8Array> {
  return await zipOf([["a/data.pkl", pickle], ["a/byteorder", byteOrder], ["a/data/0", "\0".repeat(storageBytes)]]);
}

async function zipOf(entries: [string, string][]): Promise<Uint8Array> {
  const zip = storedZip(entries.map(([name, text]) => ({ name, size: text.length, read: () => latin1(text) })));
  return new Uint8Array(await new Response(ReadableStream.from(zip.chunks)).arrayBuffer());
}

/** The archive with another 32-bit number at a place of its first file in the directory. */
function withNumber(zip: Uint8Array, at: number, value: number): Uint8Array {
  const view = new DataView(zip.buffer);
  view.setUint32(view.getUint32(zip.byteLength - 6, true) + at, value, true);
  return zip;
}

/** An archive whose last file lies inside the content of another. */
async function nestedFiles(): Promise<Uint8Array> {
  const inner = `PK\x03\x04${"\0".repeat(22)}\x03\0\0\0a/xinside.`;
  const zip = await zipOf([["a/data.pkl", pickled(SOUND)], ["a/data/0", `${inner}\0\0\0`], ["a/x", "outside."]]);
  const view = new DataView(zip.buffer);
  const text = String.fromCharCode(...zip);
  view.setUint32(text.lastIndexOf("PK\x01\x02") + 42, text.indexOf(inner), true);
  return zip;
}

/** The archive with other bytes in the place of the first ones that are a text. */
function withText(zip: Uint8Array, text: string, other: string): Uint8Array {
  zip.set(latin1(other), String.fromCharCode(...zip).indexOf(text));
  return zip;
}

/** An archive whose directory claims this many files and bytes. */
function withDirectory(files: number, bytes: number): Uint8Array {
  const zip = new Uint8Array(4 + bytes + 56 + 20 + 22);
  zip.set(latin1("PK\x03\x04"));
  const [view, end64] = [new DataView(zip.buffer), zip.length - 98];
  zip.set(latin1("PK\x06\x06"), end64);
  view.setBigUint64(end64 + 32, BigInt(files), true);
  view.setBigUint64(end64 + 48, 4n, true);
  zip.set(latin1("PK\x06\x07"), end64 + 56);
  view.setBigUint64(end64 + 64, BigInt(end64), true);
  zip.set(latin1("PK\x05\x06"), end64 + 76);
  return zip;
}

function claimingMore(zip: Uint8Array): Uint8Array {
  return withNumber(withNumber(zip, 20, 1_000_000), 24, 1_000_000);
}

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** A pickled dict with one tensor `w` over a storage of two float32, its arguments after the storage as given. */
function pickled(
  view: string,
  storage = "X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x02",
): string {
  return `\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((${storage}tQ${view}\x89}tRs.`;
}

const SOUND = "K\x00K\x02\x85K\x01\x85";

Deno.test({
  name: "readPth() finds the state_dict that a training script saved beside its other state",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const inner = pickled(SOUND).slice(2, -1);
    const text = (key: string) => `X${String.fromCharCode(key.length)}\0\0\0${key}`;
    for (const key of ["state_dict", "model_state_dict", "model", "module", "net"]) {
      const pickle = `\x80\x02}(${text("epoch")}K\x03${text(key)}${inner}${text("optimizer")}}u.`;
      await Deno.writeFile(folder.file("a.pth"), await archive(pickle));
      using file = await readPth(folder.file("a.pth"));
      assert.deepEqual([...file.tensors.keys()], ["w"], key);
    }
  },
});

const REFUSED: [string, () => Uint8Array | Promise<Uint8Array>, RegExp][] = [
  ["a text file", () => latin1("not weights"), /it is not a PyTorch file/],
  ["an empty file", () => new Uint8Array(0), /it is not a PyTorch file/],
  ["a broken archive", () => latin1("PK\x03\x04 and nothing else of it"), /its zip archive cannot be read$/],
  [
    "an archive cut in half",
    async () => (await archive(pickled(SOUND))).slice(0, 300),
    /its zip archive cannot be read$/,
  ],
  ["os.system", () => archive("\x80\x02cposix\nsystem\nX\x02\0\0\0id\x85R."), /it holds 'posix\.system', which is not/],
  [
    "builtins.eval by its newer instruction",
    () => archive("\x80\x04\x8c\x08builtins\x8c\x04eval\x93."),
    /'builtins\.eval'/,
  ],
  ["a name of the prototype", () => archive("\x80\x02c__proto__\nconstructor\n."), /'__proto__\.constructor'/],
  ["an object by NEWOBJ", () => archive("\x80\x02ccollections\nOrderedDict\n)\x81."), /instruction 0x81/],
  ["an unknown storage", () => archive(pickled(SOUND).replace("Float", "QInt8")), /'torch\.QInt8Storage'/],
  ["a pickle without end", () => archive("\x80\x02}"), /its pickle is broken, it is cut off$/],
  ["an empty stack", () => archive("\x80\x02."), /its pickle is broken, its stack is empty$/],
  ["a value that is not there", () => archive("\x80\x02h\x07."), /refers to value 7/],
  ["a list", () => archive("\x80\x02]."), /it contains no state_dict/],
  [
    "a duplicate tensor name",
    () => archive(pickled(SOUND).replace("s.", "h\x00h\x01s.").replace("w", "wq\x00").replace("tRh", "tRq\x01sh")),
    /its pickle is broken, 'w' occurs twice in a dict$/,
  ],
  ["a dict of numbers", () => archive("\x80\x02}X\x01\0\0\0wK\x01s."), /'w' is not the name of a tensor/],
  ["a view beyond its storage", () => archive(pickled("K\x01K\x02\x85K\x01\x85")), /'w' reaches beyond its elements$/],
  [
    "a stride beyond its storage",
    () => archive(pickled("K\x00K\x02\x85K\x02\x85")),
    /'w' reaches beyond its elements$/,
  ],
  [
    "a negative offset",
    () => archive(pickled("J\xff\xff\xff\xffK\x02\x85K\x01\x85")),
    /a tensor is described wrongly$/,
  ],
  ["a negative long offset", () => archive(pickled("\x8a\x01\xffK\x02\x85K\x01\x85")), /is described wrongly$/],
  [
    "a negative stride",
    () => archive(pickled("K\x00K\x02\x85J\xff\xff\xff\xff\x85")),
    /a tensor is described wrongly$/,
  ],
  [
    "fewer strides than sizes",
    () => archive(pickled("K\x00K\x02K\x01\x86K\x01\x85")),
    /a tensor is described wrongly$/,
  ],
  ["a size beyond memory", () => archive(pickled("K\x00\x8a\x07\0\0\0\0\0\0\x10\x85K\x00\x85")), /reaches beyond/],
  ["a storage of another size", () => archive(pickled(SOUND), 7), /elements of 'w' are missing or of another size$/],
  ["a storage that is not there", () => archive(pickled(SOUND).replace("\x000X", "\x001X")), /of 'w' are missing/],
  [
    "a compressed archive",
    async () => withNumber(await archive(pickled(SOUND)), 10, 8),
    /'a\/data\.pkl' in it is compressed/,
  ],
  ["another zip archive", () => zipOf([["a.txt", "no weights"]]), /'data\.pkl' is missing$/],
  [
    "a tensor larger than the file",
    () => archive(pickled("K\x00\x8a\x06\0\0\0\0\0\x10\x85K\x00\x85")),
    /'w' is larger/,
  ],
  ["a duplicate file", () => zipOf([["a/x", "1"], ["a/x", "2"]]), /'a\/x' occurs twice in it$/],
  ["a file inside another", nestedFiles, /its files overlap$/],
  ["files larger than the archive", async () => claimingMore(await archive(pickled(SOUND))), /its files overlap$/],
  [
    "a pickle whose bytes are damaged",
    async () => withText(await archive(pickled(SOUND)), "_rebuild_tensor_v2", "_rebuild_tensor\n\x7d2"),
    /the bytes of 'a\/data\.pkl' are damaged, their CRC-32 does not match the archive; copy or download the file/,
  ],
  [
    "a directory of more files than weights need",
    () => withDirectory(0x10000, 0x10000 * 46),
    /its directory of 65536 files and 3014656 bytes is larger than weights need$/,
  ],
  [
    "a directory of more bytes than weights need",
    () => withDirectory(1, 2 ** 25 + 1),
    /its directory of 1 files and 33554433 bytes is larger than weights need$/,
  ],
  [
    "a pickle of more bytes than weights need",
    () => zipOf([["a/data.pkl", "N".repeat(2 ** 25 + 1)]]),
    /'a\/data\.pkl' in it has 33554433 bytes, more than weights need$/,
  ],
  ["big-endian numbers", () => archive(pickled(SOUND), 8, "big"), /its byte order is 'big', only 'little'/],
];

for (const [name, make, message] of REFUSED) {
  Deno.test({
    name: `readPth() rejects ${name} with one line that contains the path`,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      const path = folder.file("hostile.pth");
      await Deno.writeFile(path, await make());
      await assert.rejects(readPth(path), (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.ok(error.message.startsWith(`Cannot read '${path}': `), error.message);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    },
  });
}

Deno.test({
  name: "readPth() reads the archive that the refused ones are made from",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    await Deno.writeFile(folder.file("sound.pth"), await archive(pickled(SOUND)));
    using sound = await readPth(folder.file("sound.pth"));
    assert.deepEqual(sound.tensors.get("w")?.shape, [2]);
    assert.deepEqual(await sound.tensors.get("w")?.read(), new Uint8Array(8));
    // Without elements, none lies beyond the storage's end.
    await Deno.writeFile(folder.file("empty.pth"), await archive(pickled("K\x02K\x02K\x00\x86K\x01K\x01\x86")));
    using empty = await readPth(folder.file("empty.pth"));
    assert.deepEqual(await empty.tensors.get("w")?.read(), new Uint8Array(0));
  },
});
