import assert from "node:assert/strict";
import { type WritableFile, type WritableFileSystem, writeAtomic } from "../../src/checkpoint/write_atomic.ts";
import { InputError } from "../../src/input_error.ts";
import { namesIn, NEEDS_FILES, temporaryFolder } from "./temporary_folder.ts";

const FORMER = "the former content";
const CHUNKS = ["the new ", "content"].map((text) => new TextEncoder().encode(text));

/** Deno's file operations, of which number `failing` (from 0) fails; names of all that were tried. */
function failingFileSystem(failing: number, error: Error): { fileSystem: WritableFileSystem; tried: string[] } {
  const tried: string[] = [];
  async function attempt<T>(name: string, operation: () => Promise<T>): Promise<T> {
    tried.push(name);
    if (tried.length - 1 === failing) throw error;
    return await operation();
  }
  function wrapped(kind: string, file: Deno.FsFile): WritableFile {
    return {
      // Two bytes at a time: a write may take less than it was given.
      write: (bytes) => attempt("write", () => file.write(bytes.subarray(0, 2))),
      sync: () => attempt(`sync ${kind}`, () => file.sync()),
      close: () => file.close(),
    };
  }
  const fileSystem: WritableFileSystem = {
    openFolder: (path) => attempt("open folder", async () => wrapped("folder", await Deno.open(path))),
    create: (path) =>
      attempt("create", async () => wrapped("file", await Deno.open(path, { write: true, createNew: true }))),
    rename: (from, to) => attempt("rename", () => Deno.rename(from, to)),
    remove: (path) => Deno.remove(path),
  };
  return { fileSystem, tried };
}

Deno.test({
  name: "writeAtomic() replaces a file whole and leaves nothing beside it",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("weights.bin");
    await Deno.writeTextFile(path, FORMER);
    const { fileSystem, tried } = failingFileSystem(-1, new Error());
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
      const { fileSystem, tried } = failingFileSystem(failing, new Error("the cable is out"));
      const outcome = await writeAtomic(path, CHUNKS, { fileSystem }).then(() => undefined, (error) => error);
      if (outcome === undefined) {
        assert.ok(failing > 10, "each operation was made to fail");
        break;
      }
      assert.ok(outcome instanceof InputError);
      assert.equal(outcome.message, `Cannot write '${path}': the cable is out`);
      // After the rename the new file is there, and whole.
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
    const full = Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
    await assert.rejects(writeAtomic(path, CHUNKS, { size: 15, fileSystem: failingFileSystem(3, full).fileSystem }), {
      name: "InputError",
      message: `Cannot write '${path}': the disk is full, free 15 bytes or choose another folder`,
    });
    assert.deepEqual(namesIn(folder.path), []);
  },
});

Deno.test({
  name: "writeAtomic() goes on where a file system cannot flush folders",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("weights.bin");
    const { fileSystem, tried } = failingFileSystem(12, Object.assign(new Error("Invalid"), { code: "EINVAL" }));
    await writeAtomic(path, CHUNKS, { fileSystem });
    assert.equal(tried[12], "sync folder");
    assert.equal(await Deno.readTextFile(path), "the new content");
  },
});

Deno.test({
  name: "writeAtomic() passes on what the content throws, and removes what was written of it",
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
  name: "writeAtomic() names a folder that is gone, and one that stands in the file's place",
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
