import assert from "node:assert/strict";
import fc from "fast-check";
import { readPth } from "../../../src/checkpoint/pth.ts";
import { byteCount } from "../../../src/checkpoint/tensor.ts";
import { listing, refusalOf } from "./hostile_listing.ts";
import { type Draft, legacyFile, pickle, stateDict, zipFile } from "../../checkpoint/pth_draft.ts";
import {
  CHANGED_LEGACY,
  changedFiles,
  RANDOM_DRAFTS,
  REFUSED_DRAFTS,
  REFUSED_LEGACY,
  SOUND_DRAFTS,
  type SpoiledDrafts,
  type SpoiledFiles,
} from "../../checkpoint/spoiled_pth.ts";
import { refusedArchives } from "../../checkpoint/spoiled_zip.ts";
import { namesIn, NEEDS_FILES, temporaryFolder } from "../../support/checkpoint_folder.ts";

const GOLDEN = new URL("../../golden/checkpoint/torch.pth", import.meta.url).pathname;
const ARCHIVES: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  "zip archive": zipFile(stateDict()),
  // PyTorch's own archives have the records of zip64.
  ...NEEDS_FILES.ignore ? {} : { "PyTorch's archive": Deno.readFileSync(GOLDEN) },
};
const ZIPS: SpoiledFiles = Object.assign({}, ...Object.entries(ARCHIVES).map((archive) => refusedArchives(...archive)));
const DRAFTS = Object.keys({ ...REFUSED_DRAFTS, ...SOUND_DRAFTS, ...RANDOM_DRAFTS }).length;
const CHANGED_ARCHIVES = Object.entries(ARCHIVES).map(([format, sound]) => ({
  sound,
  kinds: changedFiles(format, sound),
}));
const CHANGED: SpoiledFiles = Object.assign({}, CHANGED_LEGACY, ...CHANGED_ARCHIVES.map(({ kinds }) => kinds));
const FILES = Object.keys({ ...ZIPS, ...REFUSED_LEGACY, ...CHANGED }).length;
// 10,000 files in all; a draft makes two of them.
const FILES_OF_A_KIND = Math.ceil(10_000 / (2 * DRAFTS + FILES));
// Not each, for time; an odd number, so that both formats have their turn.
const FILES_FOR_A_LISTING = 5;
const MEMORY = 2 ** 26;

/** What came of a file: the words that refused it, or all that its tensors are. */
interface Outcome {
  readonly refusal?: string;
  readonly content?: string;
}

/** Reads a file and all its tensors, and lists it. */
async function outcome(path: string, bytes: Uint8Array, { isListed = true } = {}): Promise<Outcome> {
  Deno.writeFileSync(path, bytes);
  const before = Deno.memoryUsage().external;
  const found = await readAll(path, bytes.length).catch((error) => ({ refusal: refusalOf(error, path) }));
  if (isListed) await listing(path).catch((error) => refusalOf(error, path));
  assert.ok(Deno.memoryUsage().external < before + MEMORY, "the memory has grown");
  assert.equal(Deno.statSync(path).size, bytes.length);
  return found;
}

async function readAll(path: string, fileBytes: number): Promise<Outcome> {
  using file = await readPth(path);
  const content: string[] = [];
  for (const [name, tensor] of file.tensors) {
    const elements = await tensor.read();
    assert.equal(elements.byteLength, byteCount(tensor), name);
    assert.ok(elements.byteLength <= fileBytes, name);
    content.push(`${JSON.stringify(name)} ${tensor.dtype} ${tensor.shape} ${elements.toHex()}`);
  }
  return { content: content.join("\n") };
}

type Check = (found: Outcome, unchanged: Outcome | undefined) => void;

/** A test that reads many files of each kind. */
function testFiles<T>(
  title: string,
  kinds: Readonly<Record<string, fc.Arbitrary<T>>>,
  { sound, files, check }: { sound?: Uint8Array; files(value: T): Uint8Array[]; check: Check },
): void {
  for (const [kind, arbitrary] of Object.entries(kinds)) {
    Deno.test({
      name: `${title} a file ${kind}`,
      ...NEEDS_FILES,
      async fn() {
        await using folder = await temporaryFolder();
        const path = folder.file("hostile.pth");
        const unchanged = sound && await outcome(path, sound);
        let count = 0;
        const property = fc.asyncProperty(arbitrary, async (value) => {
          for (const bytes of files(value)) {
            check(await outcome(path, bytes, { isListed: count++ % FILES_FOR_A_LISTING === 0 }), unchanged);
          }
        });
        await fc.assert(property, { numRuns: FILES_OF_A_KIND, seed: 20 });
        assert.deepEqual(namesIn(folder.path), ["hostile.pth"]);
      },
    });
  }
}

const bothFormats = (draft: Draft) => [zipFile(draft), legacyFile(draft)];
const isRefused: Check = ({ refusal }) => assert.ok(refusal !== undefined, "readPth() took it");
const isTaken: Check = ({ refusal }) => assert.equal(refusal, undefined);

function testDrafts(title: string, kinds: SpoiledDrafts, check: Check): void {
  testFiles(title, kinds, { files: bothFormats, check });
}

testDrafts("readPth() refuses", REFUSED_DRAFTS, isRefused);
testDrafts("readPth() takes", SOUND_DRAFTS, isTaken);
testDrafts("readPth() refuses by one line, or takes,", RANDOM_DRAFTS, () => {});
testFiles("readPth() refuses", { ...ZIPS, ...REFUSED_LEGACY }, { files: (file) => [file], check: isRefused });
testFiles("readPth() refuses by one line, or takes,", CHANGED_LEGACY, { files: (file) => [file], check: () => {} });

for (const { sound, kinds } of CHANGED_ARCHIVES) {
  testFiles("readPth() refuses, or reads as if nothing were changed,", kinds, {
    sound,
    files: (file) => [file],
    check: (found, unchanged) => assert.ok(found.refusal !== undefined || found.content === unchanged?.content),
  });
}

Deno.test({
  name: "readPth() rejects a pickle of millions of instructions in a moment, and before they fill the memory",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    for (const instruction of ["}", "(", "N\x94", "N\x85"]) {
      const draft = { ...stateDict(), pickle: () => pickle(instruction.repeat(2_000_000)) };
      for (const bytes of bothFormats(draft)) {
        const { refusal } = await outcome(folder.file("hostile.pth"), bytes, { isListed: false });
        assert.match(refusal ?? "", /its pickle has more than 1000000 instructions/);
      }
    }
    assert.ok(Deno.memoryUsage().heapTotal < 2 ** 30, "the heap has grown");
  },
});
