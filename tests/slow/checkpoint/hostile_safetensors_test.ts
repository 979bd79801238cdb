import assert from "node:assert/strict";
import fc from "fast-check";
import { openCheckpoint } from "../../../src/checkpoint/checkpoint.ts";
import { readSafetensors } from "../../../src/checkpoint/safetensors.ts";
import { byteCount, type StoredTensor } from "../../../src/checkpoint/tensor.ts";
import { listing, refusalOf } from "./hostile_listing.ts";
import { fileOf, headerOf, metadataField, SOUND } from "../../checkpoint/safetensors_draft.ts";
import {
  CHANGED,
  NO_CHECKPOINT,
  REFUSED,
  SOUND_FILES,
  type SpoiledFiles,
} from "../../checkpoint/spoiled_safetensors.ts";
import { namesIn, NEEDS_FILES, temporaryFolder } from "../../support/checkpoint_folder.ts";

type Tensors = Disposable & { readonly tensors: ReadonlyMap<string, StoredTensor> };

// 10,000 files in all, half of them without a plan.
const FILES_OF_A_CHANGE = 5000 / Object.keys(CHANGED).length;
const FILES_OF_A_KIND = Math.ceil(5000 / Object.keys({ ...REFUSED, ...NO_CHECKPOINT, ...SOUND_FILES }).length);
// Not each, for time.
const FILES_FOR_A_LISTING = 5;

/** Opens a file and reads all its tensors; gives the words that refused it, or nothing. */
async function refusal(path: string, open: (path: string) => Promise<Tensors>): Promise<string | undefined> {
  let file: Tensors;
  try {
    file = await open(path);
  } catch (error) {
    return refusalOf(error, path);
  }
  using opened = file;
  for (const [name, tensor] of opened.tensors) {
    assert.equal((await tensor.read()).byteLength, byteCount(tensor), name);
  }
  return undefined;
}

/** A test that gives both readers many files of each kind. */
function testFiles(
  title: string,
  kinds: SpoiledFiles,
  { count, check }: { count: number; check(safetensors: string | undefined, checkpoint: string | undefined): void },
): void {
  for (const [kind, files] of Object.entries(kinds)) {
    Deno.test({
      name: `${title} a file ${kind}`,
      ...NEEDS_FILES,
      async fn() {
        await using folder = await temporaryFolder();
        const path = folder.file("hostile.safetensors");
        let index = 0;
        const property = fc.asyncProperty(files, async (bytes) => {
          Deno.writeFileSync(path, bytes);
          check(await refusal(path, readSafetensors), await refusal(path, openCheckpoint));
          if (index++ % FILES_FOR_A_LISTING === 0) await listing(path).catch((error) => refusalOf(error, path));
          assert.equal(Deno.statSync(path).size, bytes.byteLength);
        });
        await fc.assert(property, { numRuns: count, seed: 20 });
        assert.deepEqual(namesIn(folder.path), ["hostile.safetensors"]);
      },
    });
  }
}

testFiles("readSafetensors() and openCheckpoint() refuse", REFUSED, {
  count: FILES_OF_A_KIND,
  check(safetensors, checkpoint) {
    assert.ok(safetensors !== undefined, "readSafetensors() took it");
    assert.ok(checkpoint !== undefined, "openCheckpoint() took it");
  },
});

testFiles("openCheckpoint() refuses and readSafetensors() takes", NO_CHECKPOINT, {
  count: FILES_OF_A_KIND,
  check(safetensors, checkpoint) {
    assert.equal(safetensors, undefined);
    assert.ok(checkpoint !== undefined, "openCheckpoint() took it");
  },
});

testFiles("readSafetensors() and openCheckpoint() take", SOUND_FILES, {
  count: FILES_OF_A_KIND,
  check(safetensors, checkpoint) {
    assert.equal(safetensors, undefined);
    assert.equal(checkpoint, undefined);
  },
});

testFiles("readSafetensors() and openCheckpoint() refuse by one line, or take,", CHANGED, {
  count: FILES_OF_A_CHANGE,
  check: (safetensors, checkpoint) => assert.ok(safetensors === undefined || checkpoint !== undefined),
});

Deno.test({
  name: "readSafetensors() rejects a header of a million names, which could crash JSON.parse(), at once",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("hostile.safetensors");
    const names = Array.from({ length: 1_000_001 }, (_, index) => `"${index.toString(36)}":0`);
    Deno.writeFileSync(path, fileOf(`{${names.join(",")}}`));
    assert.match(await refusal(path, readSafetensors) ?? "", /it holds more than 1000000 keys, objects and arrays$/);
  },
});

Deno.test({
  name: "openCheckpoint() names one of a million wrong words, and makes no issue of each",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("hostile.safetensors");
    for (const [key, value] of [["vocabulary", "0,"], ["vocabulary", "{},"], ["model", '{"a":0},']] as const) {
      const metadata = SOUND.metadata.map(([other, text]) =>
        other === `"${key}"` ? metadataField(key, `[${value.repeat(1_000_000).slice(0, -1)}]`) : [other, text] as const
      );
      Deno.writeFileSync(path, fileOf(headerOf({ ...SOUND, metadata })));
      assert.match(await refusal(path, openCheckpoint) ?? "", new RegExp(`the field '${key}(\\.0)?' is wrong`));
    }
    assert.ok(Deno.memoryUsage().heapTotal < 2 ** 29, "the heap has grown");
  },
});
