import assert from "node:assert/strict";
import { writeAtomic } from "../../src/files/write_atomic.ts";
import { InputError } from "../../src/input_error.ts";
import { namesIn, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";
import { failingFileSystem } from "./failing_file_system.ts";

const FORMER = "the former content";
const CHUNKS = ["the new ", "content"].map((text) => new TextEncoder().encode(text));

Deno.test({
  name: "writeAtomic() replaces a file whole and leaves no temporary",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("weights.bin");
    await Deno.writeTextFile(path, FORMER);
    const { fileSystem, tried } = failingFileSystem(-1);
    await writeAtomic(path, CHUNKS, { fileSystem });
    assert.equal(await Deno.readTextFile(path), "the new content");
    assert.deepEqual(namesIn(folder.path), ["weights.bin"]);
    assert.deepEqual(tried.filter((name) => name !== "write"), [
      "open folder",
      "create",
      "sync file",
      "rename",
      "sync folder",
    ]);
  },
});

Deno.test({
  name: "writeAtomic() keeps the former file whole and leaves nothing when any operation fails",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("weights.bin");
    for (let failing = 0;; failing++) {
      await Deno.writeTextFile(path, FORMER);
      const { fileSystem, tried } = failingFileSystem(failing);
      const outcome = await writeAtomic(path, CHUNKS, { fileSystem }).then(() => undefined, (error) => error);
      if (outcome === undefined) {
        assert.ok(failing > 10, "each operation was made to fail");
        break;
      }
      assert.ok(outcome instanceof InputError);
      assert.equal(outcome.message, `Cannot write '${path}': the cable is out`);
      // After the rename the new file is in place, and complete.
      const expected = tried.at(-1) === "sync folder" ? "the new content" : FORMER;
      assert.equal(await Deno.readTextFile(path), expected, tried.at(-1) ?? "");
      assert.deepEqual(namesIn(folder.path), ["weights.bin"], tried.at(-1) ?? "");
    }
  },
});

Deno.test({
  name: "writeAtomic() says how many bytes are needed when the disk is full",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("weights.bin");
    const { fileSystem } = failingFileSystem(3, { code: "ENOSPC" });
    await assert.rejects(writeAtomic(path, CHUNKS, { size: 15, fileSystem }), {
      name: "InputError",
      message: `Cannot write '${path}': the disk is full, free 15 bytes`,
    });
    assert.deepEqual(namesIn(folder.path), []);
  },
});

Deno.test({
  name: "writeAtomic() continues if a file system cannot flush folders",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("weights.bin");
    const { fileSystem, tried } = failingFileSystem(12, { code: "EINVAL" });
    await writeAtomic(path, CHUNKS, { fileSystem });
    assert.equal(tried[12], "sync folder");
    assert.equal(await Deno.readTextFile(path), "the new content");
  },
});

Deno.test({
  name: "writeAtomic() passes on errors of the content, and removes the temporary",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    function* broken(): Generator<Uint8Array> {
      yield new Uint8Array(4);
      throw new RangeError("the weights are gone");
    }
    await assert.rejects(writeAtomic(folder.file("weights.bin"), broken()), new RangeError("the weights are gone"));
    assert.deepEqual(namesIn(folder.path), []);
  },
});

Deno.test({
  name: "writeAtomic() names a missing folder, and a folder with the file's name",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const gone = folder.file("gone/weights.bin");
    await assert.rejects(writeAtomic(gone, CHUNKS), {
      name: "InputError",
      message: `Cannot write '${gone}': there is no such file or folder, check the path`,
    });
    const taken = folder.file("taken");
    await Deno.mkdir(taken);
    await assert.rejects(writeAtomic(taken, CHUNKS), {
      name: "InputError",
      message: `Cannot write '${taken}': it is a folder, not a file`,
    });
    assert.deepEqual(namesIn(folder.path), ["taken"]);
  },
});
