import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { readCaptions } from "../../../src/data/read_captions.ts";
import { InputError } from "../../../src/input_error.ts";
import {
  canLabel,
  checkNames,
  formatLabels,
  type Label,
  LABEL_SOURCES,
  type Labels,
  LabelsFile,
  parseLabels,
} from "../../../src/server/label/labels_file.ts";
import { makeFolder } from "../../support/temporary_folder.ts";
import { canRead, canWrite } from "../../support/test_data.ts";

const ignore = !canRead || !canWrite;
const typed = (caption: string): Label => ({ caption, source: "typed" });
const parse = (text: string) => Object.fromEntries(parseLabels(text, "labels.csv"));

/** A labels file in a folder of its own. */
async function labelsIn(files: Readonly<Record<string, string>> = {}) {
  const folder = await makeFolder(files);
  const path = join(folder.path, "labels.csv");
  const open = () => new LabelsFile(path, Deno.writeTextFile);
  return Object.assign(folder, { file: path, open, labels: open() });
}

Deno.test("parseLabels() reads columns in any order, a file without sources, and commas in a last column", () => {
  assert.deepEqual(parse("image,caption,source\na.jpg,A dog.,typed\n"), { "a.jpg": typed("A dog.") });
  assert.deepEqual(parse("\uFEFFSource,Caption,Image\r\nedited,A dog.,a.jpg\r\n"), {
    "a.jpg": { caption: "A dog.", source: "edited" },
  });
  assert.deepEqual(parse("image,caption\na.jpg,red, green\n\nb.jpg,\n"), {
    "a.jpg": { caption: "red, green", source: "" },
    "b.jpg": { caption: "", source: "" },
  });
  assert.deepEqual(parse(""), {});
});

Deno.test("parseLabels() refuses what would be lost if it were written again", () => {
  const cases = {
    "image,caption,split\na.jpg,A dog.,train\n": /the column 'split', not image,caption,source/,
    "image,caption,caption\n": /the column 'caption'/,
    "name\n": /the column 'name'/,
    "image\n": /lacks the column caption/,
    "caption,source\n": /lacks the column image/,
    "image,caption\na.jpg,A dog.\na.jpg,A cat.\n": /line 3 has a second caption of 'a\.jpg'/,
    "image,caption\n,A dog.\n": /line 2 names no image/,
    "image,caption,source\na.jpg,A dog, red,typed\n": /line 2 has 4 columns, not 3 \(quote captions/,
    "image,caption,source\na.jpg,A dog\n": /line 2 has 2 columns, not 3/,
    "image,caption,source\na.jpg,A dog,guessed\n": /line 2 has the source 'guessed', not accepted, edited, typed/,
    'image,caption\na.jpg,"A dog\n': /it is not CSV: /,
  };
  for (const [text, pattern] of Object.entries(cases)) {
    assert.throws(() => parse(text), (error) => {
      assert(error instanceof InputError);
      assert.match(error.message, pattern);
      assert.match(error.message, /^Cannot label into labels\.csv: [^\n]*--labels$/);
      return true;
    }, text);
  }
});

Deno.test("canLabel() refuses names that training would read as another", () => {
  for (const name of ["a.jpg", "in/b c.jpg", 'a "b", c.jpg', "一.png"]) assert.equal(canLabel(name), true, name);
  for (const name of [" a.jpg", "in/a.jpg ", "a\nb.jpg", "../a.jpg", ""]) assert.equal(canLabel(name), false, name);
});

Deno.test("parseLabels() reads what formatLabels() writes", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .map((text) => text.replaceAll(/\s+/g, " ").trim()).filter((text) => text !== "" && !text.includes("\uFEFF"));
  const label = fc.tuple(text, fc.constantFrom(...LABEL_SOURCES)).map(([caption, source]): Label => ({
    caption,
    source,
  }));
  const rows = fc.array(fc.tuple(text, label));
  fc.assert(fc.property(rows, (rows) => {
    const labels: Labels = new Map(rows);
    assert.deepEqual(parseLabels(formatLabels(labels), "labels.csv"), labels);
  }));
});

Deno.test({
  name: "training reads the labels as they are, with commas, quotes and any script",
  ignore,
  async fn() {
    await using folder = await labelsIn();
    const captions = {
      "a.jpg": "A dog.",
      "in/b c.jpg": 'a "red", green sign',
      "é.png": "一只狗",
      "d.jpg": "it's =1+1",
    };
    for (const [image, caption] of Object.entries(captions)) {
      await folder.labels.change({ image, label: typed(caption), before: null });
    }
    const source = { format: "kaggle" as const, files: [folder.file], folder: folder.path };
    const { rows, rejected } = await readCaptions(source);
    assert.deepEqual(Object.fromEntries(rows.map(({ image, caption }) => [image, caption])), captions);
    assert.deepEqual(rejected, []);
  },
});

Deno.test({
  name: "LabelsFile starts without a file, adds, replaces and removes labels, and keeps the order of others",
  ignore,
  async fn() {
    await using folder = await labelsIn();
    const { labels, file } = folder;
    assert.deepEqual(await labels.read(), new Map());
    const change = (image: string, caption: string | null, before: string | null) =>
      labels.change({ image, label: caption === null ? null : typed(caption), before });
    assert.deepEqual(await change("b.jpg", "  A\n dog. ", null), { changed: true, label: typed("A dog.") });
    await change("a.jpg", "A cat.", null);
    await change("b.jpg", "A red dog.", "A dog.");
    assert.equal(
      await Deno.readTextFile(file),
      'image,caption,source\nb.jpg,"A red dog.",typed\na.jpg,"A cat.",typed\n',
    );
    assert.deepEqual(await change("b.jpg", null, "A red dog."), { changed: true, label: null });
    assert.equal(await Deno.readTextFile(file), 'image,caption,source\na.jpg,"A cat.",typed\n');
  },
});

Deno.test({
  name: "LabelsFile merges changes of other programs by image, and replaces no label that the person has not seen",
  ignore,
  async fn() {
    await using folder = await labelsIn({ "labels.csv": "image,caption\na.jpg,A dog.\nx.jpg,elsewhere\n" });
    const { labels, file } = folder;
    await labels.read();
    await Deno.writeTextFile(file, "image,caption\na.jpg,A cat.\nx.jpg,elsewhere\n"); // an editor's change
    const stale = await labels.change({ image: "a.jpg", label: typed("A cow."), before: "A dog." });
    assert.deepEqual(stale, { changed: false, label: { caption: "A cat.", source: "" } });
    assert.equal((await labels.change({ image: "b.jpg", label: typed("A bird."), before: null })).changed, true);
    assert.deepEqual([...(await labels.read()).keys()], ["a.jpg", "x.jpg", "b.jpg"]);
    assert.equal((await labels.read()).get("a.jpg")?.caption, "A cat.");
    const removed = await labels.change({ image: "c.jpg", label: null, before: "A fish." });
    assert.deepEqual(removed, { changed: true, label: null });
  },
});

Deno.test({
  name: "two LabelsFile of one file lose none of 60 changes made at once",
  ignore,
  async fn() {
    await using folder = await labelsIn();
    const both = [folder.open(), folder.open()];
    const names = Array.from({ length: 60 }, (_, index) => `${index}.jpg`);
    await Promise.all(
      names.map((image, index) => both[index % 2]?.change({ image, label: typed(`image ${index}`), before: null })),
    );
    const labels = await folder.open().read();
    assert.deepEqual(new Set(labels.keys()), new Set(names));
  },
});

Deno.test({
  name: "LabelsFile refuses captions that training would skip, and writes nothing",
  ignore,
  async fn() {
    await using folder = await labelsIn();
    for (
      const [image, caption] of [["a.jpg", "\u200b"], ["a.jpg", "x".repeat(10_001)], ["../a.jpg", "A dog."]] as const
    ) {
      await assert.rejects(folder.labels.change({ image, label: typed(caption), before: null }), InputError);
    }
    await assert.rejects(Deno.stat(folder.file), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "a failed write leaves the file as it was, and the next change succeeds",
  ignore,
  async fn() {
    await using folder = await labelsIn({ "labels.csv": "image,caption\na.jpg,A dog.\n" });
    let isFull = true;
    const labels = new LabelsFile(folder.file, (path, text) => {
      if (isFull) throw new InputError("Cannot write: the disk is full");
      return Deno.writeTextFile(path, text);
    });
    const change = { image: "b.jpg", label: typed("A cat."), before: null };
    await assert.rejects(labels.change(change), /the disk is full/);
    assert.equal((await labels.read()).size, 1);
    isFull = false;
    assert.equal((await labels.change(change)).changed, true);
    assert.equal((await labels.read()).size, 2);
  },
});

Deno.test("checkNames() names labels of images that are not there, and refuses a file of none that are", () => {
  const files = { labels: "labels.csv", folder: "photos" };
  assert.deepEqual(checkNames([], ["a.jpg"], files), []);
  assert.deepEqual(checkNames(["a.jpg"], ["a.jpg", "b.jpg"], files), []);
  assert.deepEqual(checkNames(["a.jpg", "gone.jpg"], ["a.jpg"], files), [
    "Note: 1 captions in labels.csv are of images that are not in photos, the first of 'gone.jpg'",
  ]);
  assert.throws(
    () => checkNames(["photos/a.jpg"], ["a.jpg"], files),
    /^InputError: Cannot label into labels\.csv: its images, such as 'photos\/a\.jpg', are not in photos; their names must be/,
  );
});
