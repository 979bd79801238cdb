import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type CheckpointMetadata,
  openCheckpoint,
  saveCheckpoint,
  writeCheckpoint,
} from "../../src/checkpoint/checkpoint.ts";
import type { TensorSource } from "../../src/checkpoint/tensor.ts";
import { removeStaleTemporaries } from "../../src/files/stale_temporaries.ts";
import { InputError } from "../../src/input_error.ts";
import { failingFileSystem } from "../files/failing_file_system.ts";
import { counting, namesIn, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const METADATA: CheckpointMetadata = {
  recipe: "lrcn",
  model: {
    vocabularySize: 5,
    embedSize: 4,
    hiddenSize: 4,
    languageLayers: 0,
    fusionLayers: 1,
    inject: "every",
    encoderWidth: 8,
    encoderBlocks: [1, 1, 1, 1],
  },
  preprocessing: { imageSize: 32, shortSide: 37, applyExif: true },
  vocabulary: ["<pad>", "<unk>", "<start>", "<end>", "a"],
  decoding: { maxLength: 20, beamSize: 3 },
  datasetFingerprint: "sha256:0123",
  epoch: 1,
  metrics: { validationLoss: 1.25 },
};
const FORMER = { metadata: METADATA, tensors: [counting("linear.bias", "F32", [5])] };
const NEXT = {
  metadata: { ...METADATA, epoch: 2 },
  tensors: [counting("linear.bias", "F32", [5]), counting("linear.weight", "F32", [5, 40])],
};
// Each tensor takes more than one write, and the last write of each is a short one.
const WRITE_BYTES = 300;

/** The message of each failed operation, for a file of so many bytes. */
const FAILURES: Readonly<Record<string, (bytes: number) => string>> = {
  ENOSPC: (bytes) => `the disk is full, free ${bytes} bytes`,
  EDQUOT: (bytes) => `the disk quota is used up, free ${bytes} bytes`,
  EROFS: () => "the folder is read-only, choose another",
  ENOENT: () => "there is no such file or folder, check the path",
  EACCES: () => "access is denied, check the permissions of the file and its folder",
  EIO: () => "the disk failed, check it or choose another",
};

function bytesOf(path: string): string {
  return Deno.readFileSync(path).toHex();
}

for (const [code, words] of Object.entries(FAILURES)) {
  Deno.test({
    name: `saveCheckpoint() keeps the previous checkpoint and says what to do if any file operation fails with ${code}`,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      const path = folder.file("last.safetensors");
      await saveCheckpoint(path, NEXT);
      const [next, bytes] = [bytesOf(path), Deno.statSync(path).size];
      const failed: string[] = [];
      for (let failing = 0;; failing++) {
        await saveCheckpoint(path, FORMER);
        const former = bytesOf(path);
        const { fileSystem, tried } = failingFileSystem(failing, { code, writeBytes: WRITE_BYTES });
        const error = await writeCheckpoint(path, NEXT, { fileSystem }).then(() => undefined, (error) => error);
        if (error === undefined) break;
        const operation = tried.at(-1) ?? "";
        failed.push(operation);
        assert.ok(error instanceof InputError, operation);
        assert.equal(error.message, `Cannot write '${path}': ${words(bytes)}`, operation);
        // Then the new one is in its place, and whole.
        assert.equal(bytesOf(path), operation === "sync folder" ? next : former, operation);
        assert.deepEqual(namesIn(folder.path), ["last.safetensors"], operation);
      }
      const writes = failed.filter((operation) => operation === "write");
      assert.ok(writes.length >= 6, "each tensor takes several writes");
      assert.deepEqual(failed, ["open folder", "create", ...writes, "sync file", "rename", "sync folder"]);
      assert.equal(bytesOf(path), next);
    },
  });
}

Deno.test({
  name: "saveCheckpoint() reports the first failure if its temporary cannot be removed either",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("last.safetensors");
    await saveCheckpoint(path, FORMER);
    const former = bytesOf(path);
    const { fileSystem } = failingFileSystem(4, { code: "EIO", writeBytes: WRITE_BYTES });
    const remove = () => Promise.reject(new Error("nor this"));
    await assert.rejects(writeCheckpoint(path, NEXT, { fileSystem: { ...fileSystem, remove } }), {
      name: "InputError",
      message: `Cannot write '${path}': the disk failed, check it or choose another`,
    });
    assert.equal(bytesOf(path), former);
    assert.equal(namesIn(folder.path).length, 2);
    await removeStaleTemporaries(folder.path, ["last.safetensors"]);
    assert.deepEqual(namesIn(folder.path), ["last.safetensors"]);
  },
});

/** A tensor during whose reading, in the midst of the writing, something happens. */
function eventful(happens: () => void): TensorSource {
  const tensor = counting("a.first", "U8", [7]);
  return {
    ...tensor,
    read() {
      happens();
      return tensor.read();
    },
  };
}

Deno.test({
  name: "saveCheckpoint() names a folder that vanishes while it writes, and does not recreate it",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const run = folder.file("run");
    Deno.mkdirSync(run);
    const path = join(run, "last.safetensors");
    await saveCheckpoint(path, FORMER);
    const vanishing = eventful(() => Deno.removeSync(run, { recursive: true }));
    await assert.rejects(saveCheckpoint(path, { ...NEXT, tensors: [...NEXT.tensors, vanishing] }), {
      name: "InputError",
      message: `Cannot write '${path}': there is no such file or folder, check the path`,
    });
    assert.deepEqual(namesIn(folder.path), []);
  },
});

Deno.test({
  name: "saveCheckpoint() leaves the former checkpoint whole in a folder that is moved away while it writes",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const [run, moved] = [folder.file("run"), folder.file("moved")];
    Deno.mkdirSync(run);
    const path = join(run, "last.safetensors");
    await saveCheckpoint(path, FORMER);
    const former = bytesOf(path);
    const moving = eventful(() => Deno.renameSync(run, moved));
    await assert.rejects(saveCheckpoint(path, { ...NEXT, tensors: [...NEXT.tensors, moving] }), {
      name: "InputError",
      message: `Cannot write '${path}': there is no such file or folder, check the path`,
    });
    assert.deepEqual(namesIn(folder.path), ["moved"]);
    // The temporary went with the folder, and cannot be found by its path.
    await removeStaleTemporaries(moved, ["last.safetensors"]);
    assert.deepEqual(namesIn(moved), ["last.safetensors"]);
    assert.equal(bytesOf(join(moved, "last.safetensors")), former);
    using checkpoint = await openCheckpoint(join(moved, "last.safetensors"));
    assert.equal(checkpoint.metadata.epoch, 1);
  },
});
