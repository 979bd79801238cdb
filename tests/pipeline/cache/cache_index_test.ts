import assert from "node:assert/strict";
import { type BadImage, CacheIndex, readCacheIndex } from "../../../src/pipeline/cache/cache_index.ts";
import { makeFolder } from "../../support/temporary_folder.ts";
import { files } from "../../support/cache_setting.ts";

const ONE = "1".repeat(64);
const TWO = "2".repeat(64);
const THREE = "3".repeat(64);
const SIZE = { width: 20, height: 10 };
const BAD: BadImage = {
  path: "/a.jpg",
  size: 3,
  changed: 7,
  content: ONE,
  reason: "it is cut",
  kind: "image",
  maxPixels: 10,
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
  index.addImage({ content: ONE, ...SIZE });
  assert.deepEqual([badPaths(index), index.bad(ONE)], [[], undefined]);
  index.forget(ONE);
  assert.deepEqual(badPaths(index), ["/copy.jpg"]);
});

Deno.test("readCacheIndex() follows the last line, and skips invalid ones", files, async () => {
  const lines = [
    { content: ONE, ...SIZE, slot: 0, checksum: 5 },
    { content: TWO, ...SIZE, slot: 1, checksum: 6 },
    { content: ONE, ...SIZE },
    { content: TWO, forgotten: true },
    { content: TWO, ...SIZE, slot: -1, checksum: 6 },
    { content: TWO, ...SIZE, slot: 1.5, checksum: 6 },
    { content: TWO, slot: 1, checksum: 6 },
    { content: TWO, width: 0, height: 10 },
    { content: "../2", ...SIZE, slot: 1 },
    { path: "/a.jpg", size: 3, changed: 7 },
    { path: "/a.jpg", size: 3, changed: 7, content: ONE, more: 1 },
  ].map((line) => JSON.stringify(line));
  const last = JSON.stringify({ content: THREE, ...SIZE });
  const text = [...lines, "{", "", `${" ".repeat(2 ** 18)}${last.replace("3", "4")}`, last].join("\n");
  await using folder = await makeFolder({ "index.jsonl": `${text}\n{"torn`, "quarantine.jsonl": "[]\n" });
  const index = await readCacheIndex(folder.path);
  assert.deepEqual([...index.images], [ONE, THREE].map((content) => ({ content, ...SIZE })));
  assert.deepEqual(index.wholeBytes, { index: text.length + 1, quarantine: 3 });
  assert.equal(index.contentOf({ path: "/a.jpg", size: 3, changed: 7 }), undefined);
});

Deno.test("readCacheIndex() reads an index of many pieces to its last whole line", files, async () => {
  const line = (index: number) => `${JSON.stringify({ content: `${index}`.padStart(64, "0"), ...SIZE })}\n`;
  const text = Array.from({ length: 6000 }, (_, index) => line(index)).join("");
  await using folder = await makeFolder({ "index.jsonl": `${text}{"torn` });
  const index = await readCacheIndex(folder.path);
  assert.deepEqual(index.wholeBytes, { index: text.length, quarantine: 0 });
  assert.equal([...index.images].length, 6000);
  assert.deepEqual(index.image("5999".padStart(64, "0")), { content: "5999".padStart(64, "0"), ...SIZE });
});
