import assert from "node:assert/strict";
import { removeStaleTemporaries } from "../../src/files/stale_temporaries.ts";
import { type WritableFileSystem, writeAtomic } from "../../src/files/write_atomic.ts";
import { namesIn, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const UUID = "0b5e6a4c-2f1d-4c3b-9a87-6d5e4f3c2b1a";

/** Writes as a process that is killed before it can put its file in place or take it away. */
async function writeKilled(path: string): Promise<void> {
  const fileSystem: WritableFileSystem = {
    openFolder: (folder) => Deno.open(folder),
    create: (temporary) => Deno.open(temporary, { write: true, createNew: true }),
    rename: () => Promise.reject(new Error("killed")),
    remove: () => Promise.reject(new Error("killed")),
  };
  await assert.rejects(writeAtomic(path, [new Uint8Array(3)], { fileSystem }));
}

for (
  const name of ["last.safetensors", "a name of far more characters than a temporary's name has room for.safetensors"]
) {
  Deno.test({
    name:
      `removeStaleTemporaries() removes the temporary of '${name}' left by a killed writeAtomic(), and keeps the file`,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      await Deno.writeTextFile(folder.file(name), "whole");
      await writeKilled(folder.file(name));
      await writeKilled(folder.file(name));
      assert.equal(namesIn(folder.path).length, 3);
      await removeStaleTemporaries(folder.path, ["another", name]);
      assert.deepEqual(namesIn(folder.path), [name]);
      assert.equal(await Deno.readTextFile(folder.file(name)), "whole");
    },
  });
}

Deno.test({
  name: "removeStaleTemporaries() removes nothing else",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const kept = [
      "metrics.jsonl",
      `.best.safetensors.${UUID}.tmp`, // of a file that was not named
      `.metrics.jsonl.${UUID}`,
      `.metrics.jsonl.${UUID}.tmp.old`,
      `.metrics.jsonl.${UUID}x.tmp`,
      ".metrics.jsonl.tmp",
      ".metrics.jsonl..tmp",
      ".metrics.jsonl.notes.tmp",
      `.metricsXjsonl.${UUID}.tmp`,
      `metrics.jsonl.${UUID}.tmp`,
      `x.metrics.jsonl.${UUID}.tmp`,
    ].sort();
    for (const name of kept) await Deno.writeTextFile(folder.file(name), "");
    const taken = `.metrics.jsonl.${UUID.replace("0", "1")}.tmp`;
    await Deno.mkdir(folder.file(taken));
    await removeStaleTemporaries(folder.path, ["metrics.jsonl"]);
    assert.deepEqual(namesIn(folder.path), [...kept, taken].sort());
  },
});

Deno.test({
  name: "removeStaleTemporaries() finds none in a missing folder, and names a folder that is a file",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    await removeStaleTemporaries(folder.file("gone"), ["metrics.jsonl"]);
    await Deno.writeTextFile(folder.file("file"), "");
    await assert.rejects(removeStaleTemporaries(folder.file("file"), ["metrics.jsonl"]), {
      name: "InputError",
      message: `Cannot read '${folder.file("file")}': a part of the path is a file, not a folder`,
    });
  },
});
