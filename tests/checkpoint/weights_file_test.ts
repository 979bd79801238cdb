import assert from "node:assert/strict";
import { join } from "node:path";
import { isCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { openFile } from "../../src/files/open_file.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import { findFormat, openWeights } from "../../src/checkpoint/weights_file.ts";
import { INTERCHANGE } from "../golden/interchange.ts";
import { counting, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

async function formatOf(path: string) {
  using file = await openFile(path);
  return await findFormat(path, file);
}

Deno.test({
  name: "findFormat() recognizes a safetensors file whose header's length begins like a PyTorch file",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    // The header is filled up to 128 bytes for the old format's first byte, to 0x4b50 for the zip archive's first two.
    for (const [length, first] of [[0x80, 0x80], [0x4b50, 0x50]] as const) {
      const path = folder.file("model.pth");
      const metadata = { note: "x".repeat(length - 84) };
      await writeSafetensors(path, { metadata, tensors: [counting("a", "F32", [2])] });
      assert.equal((await Deno.readFile(path))[0], first);
      assert.equal(await formatOf(path), "safetensors");
      using weights = await openWeights(path);
      assert.deepEqual({ ...weights.metadata }, metadata);
      assert(!isCheckpoint(weights));
    }
  },
});

for (const file of ["torch_2f_first.pth", "torch_1u_every_legacy.pth"]) {
  Deno.test({
    name: `findFormat() recognizes ${file} by its content`,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      const path = folder.file("model.safetensors");
      await Deno.copyFile(join(INTERCHANGE, file), path);
      assert.equal(await formatOf(path), "pth");
      using weights = await openWeights(path);
      assert.equal(weights.size, (await Deno.stat(path)).size);
    },
  });
}

Deno.test({
  name: "findFormat() uses the name if the content is neither",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    for (const [name, format] of [["a.pth", "pth"], ["a.pt", "pth"], ["a.safetensors", "safetensors"]] as const) {
      await Deno.writeTextFile(folder.file(name), "");
      assert.equal(await formatOf(folder.file(name)), format);
    }
  },
});
