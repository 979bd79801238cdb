import assert from "node:assert/strict";
import { type BadImage, CacheIndex, readCacheIndex } from "../../../src/pipeline/cache/cache_index.ts";
import { makeFolder } from "../temporary_folder.ts";
import { files } from "./cache_setting.ts";

const ONE = "1".repeat(64);
const TWO = "2".repeat(64);
const BAD: BadImage = {
  ...{ path: "/a.jpg", size: 3, changed: 7, content: ONE },
  ...{ reason: "it is cut", kind: "image", maxPixels: 10 },
};

function badPaths(index: CacheIndex): string[] {
  return index.badFiles.map(({ path }) => path);
}

Deno.test("CacheIndex knows a file's content while size and time of change are the same", () => {
  const index = new CacheIndex();
  const file = { path: "/a.tar", offset: 512, size: 3, changed: 7 };
  index.addFile({ ...file, content: ONE });
  assert.equal(index.contentOf(file), ONE);
  for (const change of [{ size: 4 }, { changed: 8 }, { offset: 0 }, { offset: undefined }, { path: "/b.tar" }]) {
    assert.equal(index.contentOf({ ...file, ...change }), undefined);
  }
});

Deno.test("CacheIndex lists a bad file until it changes, or its image could be decoded after all", () => {
  const index = new CacheIndex();
  index.addBad(BAD);
  index.addBad({ ...BAD, path: "/copy.jpg" });
  assert.deepEqual(badPaths(index), ["/a.jpg", "/copy.jpg"]);
  index.addFile({ path: "/a.jpg", size: 4, changed: 9, content: TWO });
  assert.deepEqual(badPaths(index), ["/copy.jpg"]);
  index.addImage({ content: ONE });
  assert.deepEqual([badPaths(index), index.bad(ONE)], [[], undefined]);
  index.forget(ONE);
  assert.deepEqual(badPaths(index), ["/copy.jpg"]);
});

Deno.test("readCacheIndex() obeys the last line, and passes over what is none", files, async () => {
  const lines = [
    { content: ONE, slot: 0, checksum: 5 },
    { content: TWO, slot: 1, checksum: 6 },
    { content: ONE },
    { content: TWO, forgotten: true },
    { content: TWO, slot: -1, checksum: 6 },
    { content: TWO, slot: 1.5, checksum: 6 },
    { content: "../2", slot: 1 },
    { path: "/a.jpg", size: 3, changed: 7 },
    { path: "/a.jpg", size: 3, changed: 7, content: ONE, more: 1 },
  ].map((line) => JSON.stringify(line));
  const text = [...lines, "{", "", "x".repeat(70_000), JSON.stringify({ content: "3".repeat(64) })].join("\n");
  await using folder = await makeFolder({ "index.jsonl": `${text}\n{"torn`, "quarantine.jsonl": "[]\n" });
  const index = await readCacheIndex(folder.path);
  assert.deepEqual([...index.images], [{ content: ONE }, { content: "3".repeat(64) }]);
  assert.deepEqual(index.wholeBytes, { index: text.length + 1, quarantine: 3 });
  assert.equal(index.contentOf({ path: "/a.jpg", size: 3, changed: 7 }), undefined);
});
