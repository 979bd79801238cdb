import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../src/input_error.ts";
import { readDataset } from "../../src/pipeline/dataset.ts";
import { splitOfficially } from "../../src/pipeline/splits.ts";
import { canRead, canWrite, testData } from "../test_data.ts";
import { makeFolder } from "./temporary_folder.ts";

const ignore = !canRead || !canWrite;
const captions = "image,caption\nb.jpg,A kite .\na.jpg,A boat .\nb.jpg,A red kite .\ngone.jpg,A fox .\n";
const tokens = "a.jpg#0\tA boat .\nb.jpg#0\tA kite .\n";
const lists = {
  "Flickr_8k.trainImages.txt": "a.jpg\r\n",
  "Flickr_8k.devImages.txt": "b.jpg\r\n\r\n",
  "Flickr_8k.testImages.txt": "c.jpg",
};

Deno.test({
  name: "readDataset() groups captions by photograph, in file order, and counts images that are not there",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "captions.txt": captions, "Images/a.jpg": "", "Images/b.jpg": "" });
    const dataset = await readDataset({ data: folder.path });
    assert.deepEqual(dataset.photographs, [
      { name: "b.jpg", path: join(folder.path, "Images", "b.jpg"), captions: ["A kite .", "A red kite ."] },
      { name: "a.jpg", path: join(folder.path, "Images", "a.jpg"), captions: ["A boat ."] },
    ]);
    assert.deepEqual(
      dataset.rows.map(({ photograph, caption }) => [photograph.name, caption]),
      [["b.jpg", "A kite ."], ["a.jpg", "A boat ."], ["b.jpg", "A red kite ."]],
    );
    assert.deepEqual(dataset.missing, ["gone.jpg"]);
    assert.equal(dataset.officialSplits, undefined);
    assert.match(dataset.fingerprint, /^[0-9a-f]{16}$/);
  },
});

Deno.test({
  name: "readDataset() finds captions and images where the Flickr datasets have them",
  ignore,
  async fn() {
    const layouts = [
      { "captions.txt": captions, "images/a.jpg": "" },
      { "captions.txt": captions, "a.jpg": "" },
      {
        "Flickr8k_text/Flickr8k.token.txt": tokens,
        "Flickr8k_text/Flickr8k.lemma.token.txt": "",
        "Flicker8k_Dataset/a.jpg": "",
      },
      { "Flickr8k.token.txt": tokens, "Flickr8k_Dataset/Flickr8k_Dataset/a.jpg": "" },
      { "results_20130124.token": tokens, "flickr30k_images/flickr30k_images/a.jpg": "" },
      { "text/x.token": tokens, "text/Images/a.jpg": "" },
    ];
    for (const layout of layouts) {
      await using folder = await makeFolder(layout);
      const dataset = await readDataset({ data: folder.path });
      assert.deepEqual(dataset.photographs.map((photograph) => photograph.name), ["a.jpg"], JSON.stringify(layout));
    }
  },
});

Deno.test({
  name: "readDataset() takes a captions file and an images folder that are named, or looks beside the file",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "x/words.csv": captions, "y/a.jpg": "", "x/Images/b.jpg": "" });
    const named = await readDataset({ captions: join(folder.path, "x/words.csv"), images: join(folder.path, "y") });
    assert.deepEqual(named.photographs.map((photograph) => photograph.name), ["a.jpg"]);
    const beside = await readDataset({ captions: join(folder.path, "x/words.csv") });
    assert.deepEqual(beside.photographs.map((photograph) => photograph.name), ["b.jpg"]);
    assert.notEqual(named.fingerprint, beside.fingerprint);
  },
});

Deno.test({
  name: "readDataset() finds images in folders of their own by the path in the captions file",
  ignore,
  async fn() {
    await using folder = await makeFolder({
      "captions.txt": "image,caption\nin/a.jpg,x\nout/b.jpg,x\n",
      "in/a.jpg": "",
    });
    const dataset = await readDataset({ data: folder.path });
    assert.deepEqual(dataset.photographs.map((photograph) => photograph.path), [join(folder.path, "in", "a.jpg")]);
    assert.deepEqual(dataset.missing, ["out/b.jpg"]);
  },
});

Deno.test({
  name: "readDataset() reads the official lists beside the captions or in the folder that is named",
  ignore,
  async fn() {
    const expected = { train: ["a.jpg"], validation: ["b.jpg"], test: ["c.jpg"] };
    await using beside = await makeFolder({ "captions.txt": captions, "a.jpg": "", ...lists });
    assert.deepEqual((await readDataset({ data: beside.path })).officialSplits, expected);
    await using elsewhere = await makeFolder(lists);
    await using plain = await makeFolder({ "captions.txt": captions, "a.jpg": "" });
    assert.deepEqual((await readDataset({ data: plain.path, splits: elsewhere.path })).officialSplits, expected);
    await assert.rejects(readDataset({ data: plain.path, splits: plain.path }), /has no lists named like/);
  },
});

Deno.test({
  name: "readDataset() says in one line what is wrong with a dataset",
  ignore,
  async fn() {
    const wrong: [Record<string, string>, RegExp][] = [
      [{ "a.jpg": "" }, /there is no captions\.txt, Flickr8k\.token\.txt or \*\.token in .*--captions/],
      [
        { "captions.txt": captions, "Images/z.jpg": "" },
        /none of the 3 images of .* is in .*Images, .*"b\.jpg".*--images/,
      ],
      [{ "x.token": tokens, "y.token": tokens }, /several captions files, "x\.token" and "y\.token"/],
      [{ "captions.txt": "image,caption\n../a.jpg,x\n" }, /"\.\.\/a\.jpg" .* leads out of the images folder/],
      [{ "captions.txt": "image,caption\n/etc/a.jpg,x\n" }, /leads out of the images folder/],
      [{ "captions.txt": captions, "a.jpg": "", "devImages.txt": "a.jpg" }, /has no train list/],
      [{ "captions.txt": captions, "a.jpg": "", ...lists, "testImages.txt": "" }, /are both test lists/],
      [
        { "captions.txt": captions, "a.jpg": "", ...lists, "Flickr_8k.testImages.txt": "x.jpg\na.jpg" },
        /"a\.jpg" is in the train list and in the test list/,
      ],
    ];
    for (const [files, message] of wrong) {
      await using folder = await makeFolder(files);
      await assert.rejects(
        readDataset({ data: folder.path }),
        (error) => error instanceof InputError && message.test(error.message) && !error.message.includes("\n"),
        String(message),
      );
    }
    await using folder = await makeFolder({ "captions.txt": captions });
    const paths: [Parameters<typeof readDataset>[0], RegExp][] = [
      [{ data: join(folder.path, "none") }, /there is no folder .*none/],
      [{ data: join(folder.path, "captions.txt") }, /captions\.txt is not a folder/],
      [{ data: folder.path, images: join(folder.path, "none") }, /Cannot read images: there is no folder .*none/],
      [{}, /give --data DIR/],
    ];
    for (const [options, message] of paths) {
      await assert.rejects(
        readDataset(options),
        (error) => error instanceof InputError && message.test(error.message) && !error.message.includes("\n"),
        String(message),
      );
    }
  },
});

Deno.test({
  name: "readDataset() reads Flickr8k with its official split",
  ignore: testData === undefined,
  async fn() {
    const folder = testData ?? "";
    const captions = join(folder, "flickr8k-text", "Flickr8k.token.txt");
    const dataset = await readDataset({ captions, images: join(folder, "flickr8k-224", "Images") });
    assert.equal(dataset.photographs.length, 3500);
    assert.equal(dataset.rows.length, 17500);
    assert.equal(dataset.missing.length, 8092 + 1 - 3500);
    assert.ok(dataset.missing.includes("2258277193_586949ec62.jpg.1"));
    const { train = [], validation = [], test = [] } = dataset.officialSplits ?? {};
    assert.deepEqual([train.length, validation.length, test.length], [6000, 1000, 1000]);
    const { officialSplits } = dataset;
    assert.ok(officialSplits);
    assert.throws(() => splitOfficially(dataset.photographs, officialSplits), /official test list/);
  },
});
