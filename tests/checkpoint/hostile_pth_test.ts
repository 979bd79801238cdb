import assert from "node:assert/strict";
import fc from "fast-check";
import { readPth } from "../../src/checkpoint/pth.ts";
import { byteCount, type StoredTensor } from "../../src/checkpoint/tensor.ts";
import { InputError } from "../../src/input_error.ts";
import { type Draft, legacyFile, pickle, stateDict, zipFile } from "./pth_draft.ts";
import {
  CHANGED,
  RANDOM_DRAFTS,
  REFUSED_DRAFTS,
  REFUSED_LEGACY,
  SOUND_DRAFTS,
  type SpoiledDrafts,
  type SpoiledFiles,
} from "./spoiled_pth.ts";
import { refusedArchives } from "./spoiled_zip.ts";
import { namesIn, NEEDS_FILES, temporaryFolder } from "./temporary_folder.ts";

const GOLDEN = new URL("../golden/checkpoint/torch.pth", import.meta.url).pathname;
const ZIPS: SpoiledFiles = {
  ...refusedArchives("zip archive", zipFile(stateDict())),
  // PyTorch's own archives have the records of zip64.
  ...NEEDS_FILES.ignore ? {} : refusedArchives("PyTorch's archive", Deno.readFileSync(GOLDEN)),
};
const DRAFTS = Object.keys({ ...REFUSED_DRAFTS, ...SOUND_DRAFTS, ...RANDOM_DRAFTS }).length;
const FILES = Object.keys({ ...ZIPS, ...REFUSED_LEGACY, ...CHANGED }).length;
// 10,000 files in all; a draft makes two of them.
const FILES_OF_A_KIND = Math.ceil(10_000 / (2 * DRAFTS + FILES));
const ONE_LINE = /^[^\p{Cc}\p{Zl}\p{Zp}]{1,600}$/u;
const MEMORY = 2 ** 26;
const MILLISECONDS = 10_000;

/** Reads a file and all its tensors; gives the words that refused it, or nothing. */
async function refusal(path: string, bytes: Uint8Array): Promise<string | undefined> {
  Deno.writeFileSync(path, bytes);
  const [before, start] = [Deno.memoryUsage().external, performance.now()];
  const words = await readAll(path, bytes.length);
  assert.ok(Deno.memoryUsage().external < before + MEMORY, "the memory has grown");
  assert.ok(performance.now() - start < MILLISECONDS, "it takes too long");
  assert.equal(Deno.statSync(path).size, bytes.length);
  return words;
}

async function readAll(path: string, fileBytes: number): Promise<string | undefined> {
  let tensors: Map<string, StoredTensor>;
  try {
    tensors = await readPth(path);
  } catch (error) {
    assert.ok(error instanceof InputError, `not an InputError: ${error}`);
    assert.ok(error.message.startsWith(`Cannot read '${path}': `), error.message);
    assert.match(error.message, ONE_LINE);
    return error.message;
  }
  for (const [name, tensor] of tensors) {
    const { byteLength } = await tensor.read();
    assert.equal(byteLength, byteCount(tensor), name);
    assert.ok(byteLength <= fileBytes, name);
  }
  return undefined;
}

type Check = (refusal: string | undefined) => void;

/** A test that reads many files of each kind. */
function testFiles<T>(
  title: string,
  kinds: Readonly<Record<string, fc.Arbitrary<T>>>,
  { files, check }: { files(value: T): Uint8Array[]; check: Check },
): void {
  for (const [kind, arbitrary] of Object.entries(kinds)) {
    Deno.test({
      name: `${title} a file ${kind}`,
      ...NEEDS_FILES,
      async fn() {
        await using folder = await temporaryFolder();
        const path = folder.file("hostile.pth");
        const property = fc.asyncProperty(arbitrary, async (value) => {
          for (const bytes of files(value)) check(await refusal(path, bytes));
        });
        await fc.assert(property, { numRuns: FILES_OF_A_KIND, seed: 20 });
        assert.deepEqual(namesIn(folder.path), ["hostile.pth"]);
      },
    });
  }
}

const bothFormats = (draft: Draft) => [zipFile(draft), legacyFile(draft)];
const isRefused: Check = (words) => assert.ok(words !== undefined, "readPth() took it");
const isTaken: Check = (words) => assert.equal(words, undefined);

function testDrafts(title: string, kinds: SpoiledDrafts, check: Check): void {
  testFiles(title, kinds, { files: bothFormats, check });
}

testDrafts("readPth() refuses", REFUSED_DRAFTS, isRefused);
testDrafts("readPth() takes", SOUND_DRAFTS, isTaken);
testDrafts("readPth() refuses by one line, or takes,", RANDOM_DRAFTS, () => {});
testFiles("readPth() refuses", { ...ZIPS, ...REFUSED_LEGACY }, { files: (file) => [file], check: isRefused });
testFiles("readPth() refuses by one line, or takes,", CHANGED, { files: (file) => [file], check: () => {} });

Deno.test({
  name: "readPth() refuses a pickle of millions of instructions in a moment, and before they fill the memory",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    for (const instruction of ["}", "(", "N\x94", "N\x85"]) {
      const draft = { ...stateDict(), pickle: () => pickle(instruction.repeat(2_000_000)) };
      for (const bytes of bothFormats(draft)) {
        const words = await refusal(folder.file("hostile.pth"), bytes);
        assert.match(words ?? "", /its pickle has more than 1000000 instructions/);
      }
    }
    assert.ok(Deno.memoryUsage().heapTotal < 2 ** 30, "the heap has grown");
  },
});
