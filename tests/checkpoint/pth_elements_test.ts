import assert from "node:assert/strict";
import { readPth, writePth } from "../../src/checkpoint/pth.ts";
import { latin1 } from "./pth_draft.ts";
import { counting, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

Deno.test({
  name: "readPth() rejects a storage in which any bit is flipped, and reads all others",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("damaged.pth");
    await writePth(path, [counting("a", "F32", [2]), counting("b", "F32", [3])]);
    const sound = await Deno.readFile(path);
    const begin = String.fromCharCode(...sound).indexOf(String.fromCharCode(...await counting("b", "F32", [3]).read()));
    for (let bit = 0; bit < 96; bit++) {
      const bytes = sound.slice();
      bytes[begin + (bit >> 3)] = (bytes[begin + (bit >> 3)] ?? 0) ^ (1 << (bit & 7));
      await Deno.writeFile(path, bytes);
      using file = await readPth(path);
      assert.deepEqual(await file.tensors.get("a")?.read(), await counting("a", "F32", [2]).read());
      await assert.rejects(async () => await file.tensors.get("b")?.read(), {
        name: "InputError",
        message: `Cannot read '${path}': the elements of 'b' are damaged, their CRC-32 does not match the archive; ` +
          "copy or download the file again",
      });
    }
  },
});

Deno.test({
  name: "readPth() looks at a file's first bytes before it reads more: five gigabytes of zeros take no memory",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const starts = { "": /it is not a PyTorch file/, "PK": /archive cannot be read$/, "\x80": /instruction 0x0/ };
    for (const [start, message] of Object.entries(starts)) {
      const path = folder.file("zeros.pth");
      await Deno.writeFile(path, latin1(start));
      await Deno.truncate(path, 5 * 2 ** 30);
      const before = Deno.memoryUsage().external;
      await assert.rejects(readPth(path), message);
      assert.ok(Deno.memoryUsage().external < before + 2 ** 26, "the memory has grown");
    }
  },
});

Deno.test({
  name: "readPth() reads no tensor's elements before they are asked for, and then those alone",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("large.pth");
    const elements = 2 ** 24;
    await writePth(path, [
      { name: "large", dtype: "U8", shape: [elements], read: () => Promise.resolve(new Uint8Array(elements)) },
      counting("small", "F32", [2]),
    ]);
    const before = Deno.memoryUsage().external;
    using file = await readPth(path);
    assert.deepEqual(await file.tensors.get("small")?.read(), await counting("small", "F32", [2]).read());
    assert.ok(Deno.memoryUsage().external < before + 2 ** 22, "the memory has grown");
    assert.equal((await file.tensors.get("large")?.read())?.length, elements);
  },
});
