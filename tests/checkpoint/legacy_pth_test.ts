import assert from "node:assert/strict";
import { parseLegacyPth } from "../../src/checkpoint/legacy_pth.ts";
import { readPth } from "../../src/checkpoint/pth.ts";
import type { RandomAccessFile } from "../../src/files/open_file.ts";
import { InputError } from "../../src/input_error.ts";
import { int, latin1, legacyFile, type LegacyParts, pickle, stateDict, text, tuple } from "./pth_draft.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const SOUND = stateDict();

/** A file that is in memory. */
function inMemory(bytes: Uint8Array<ArrayBuffer>): RandomAccessFile {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
    [Symbol.dispose]: () => {},
  };
}

Deno.test("parseLegacyPth() gives each storage's place in the file, in the order of its keys", async () => {
  const bytes = legacyFile(SOUND);
  const { value, storages } = await parseLegacyPth(inMemory(bytes));
  assert.ok(value instanceof Map);
  assert.deepEqual([...value.keys()], ["a", "b", "c"]);
  assert.deepEqual([...storages.keys()], ["0", "1"]);
  for (const [key, elements] of Object.entries(SOUND.storages)) {
    const found = storages.get(key);
    assert.deepEqual([...bytes.slice(found?.begin, found?.end)], [...elements]);
  }
});

Deno.test({
  name: "readPth() copies a storage of the old format for each tensor that shares it",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    await Deno.writeFile(folder.file("old.pth"), legacyFile(SOUND));
    using file = await readPth(folder.file("old.pth"));
    const { tensors } = file;
    const [a, b] = [await tensors.get("a")?.read(), await tensors.get("b")?.read()];
    assert.deepEqual(a && [...a], Array.from({ length: 24 }, (_, index) => index));
    // Elements 1, 3 and 5 of four bytes.
    assert.deepEqual(b && [...b], [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23]);
    a?.fill(0);
    assert.deepEqual([...await tensors.get("b")?.read() ?? []], b && [...b]);
  },
});

const REFUSED: [string, Partial<LegacyParts>, RegExp][] = [
  ["another program's pickle", { magic: pickle(int(7)) }, /it is a pickle but not a PyTorch file/],
  ["another protocol", { protocol: pickle(int(7)) }, /its protocol is not 1001$/],
  [
    "a big-endian machine's numbers",
    { machine: pickle(`}${text("little_endian")}\x89s`) },
    /byte order is not 'little'/,
  ],
  ["a machine that says nothing", { machine: pickle("N") }, /byte order is not 'little'/],
  ["storages that are no list", { keys: pickle(tuple(text("0"), text("1"))) }, /the list of its storages is missing$/],
  ["a storage that nothing belongs to", { keys: pickle(`](${text("0")}${text("9")}e`) }, /nothing belongs to$/],
  ["a storage twice", { keys: pickle(`](${text("0")}${text("0")}e`) }, /it lists a storage twice$/],
  ["a storage of another size", { counts: [6n, 3n] }, /its storage '1' has another size$/],
  ["a storage of 2^63 - 1 elements", { counts: [2n ** 63n - 1n, 2n] }, /its storage '0' has another size$/],
  ["bytes after its elements", { after: "\0" }, /data follow its elements$/],
];

for (const [name, parts, message] of REFUSED) {
  Deno.test(`parseLegacyPth() rejects ${name}`, async () => {
    await assert.rejects(
      parseLegacyPth(inMemory(legacyFile(SOUND, parts))),
      (error) => error instanceof InputError && message.test(error.message),
    );
  });
}

Deno.test("parseLegacyPth() rejects a file that is cut off at any byte", async () => {
  const bytes = legacyFile(SOUND);
  for (let length = 0; length < bytes.length; length++) {
    await assert.rejects(parseLegacyPth(inMemory(bytes.slice(0, length))), { name: "InputError", message: /cut off$/ });
  }
});

Deno.test({
  name:
    "readPth() rejects an old file without a tensor's elements, and one with storage views, which no version writes",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("old.pth");
    const { "0": floats = latin1("") } = SOUND.storages;
    await Deno.writeFile(path, legacyFile({ ...SOUND, storages: { "0": floats } }));
    await assert.rejects(readPth(path), {
      message: `Cannot read '${path}': the elements of 'c' are missing or of another size`,
    });
    await Deno.writeFile(path, legacyFile({ ...SOUND, pickle: () => SOUND.pickle(tuple(text("0"), int(0), int(1))) }));
    await assert.rejects(readPth(path), { message: /its pickle is broken, a storage is described wrongly$/ });
  },
});
