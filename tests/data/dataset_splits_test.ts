// How a dataset's split is found: lists, captions, names of files and folders.

import assert from "node:assert/strict";
import { join } from "node:path";
import { readDataset } from "../../src/data/dataset.ts";
import { NEEDS_FILES } from "../support/checkpoint_folder.ts";
import { tarFile } from "../support/tar_file.ts";
import { makeFolder } from "../support/temporary_folder.ts";

type Files = Record<string, string | Uint8Array>;
type Options = Parameters<typeof readDataset>[0];

const csv = (...names: string[]) => `image,caption\n${names.map((name) => `${name},A ${name} .\n`).join("")}`;
const jsonl = (...names: string[]) =>
  names.map((name) => JSON.stringify({ file_name: name, text: `A ${name} .` })).join("\n");
const coco = (...names: string[]) =>
  JSON.stringify({
    images: names.map((file_name, id) => ({ id, file_name })),
    annotations: names.map((name, image_id) => ({ image_id, caption: `A ${name} .` })),
  });
const images = (...names: string[]): Files => Object.fromEntries(names.map((name) => [name, ""]));

/** The split and its source, without the folder's path. */
async function splitOf(files: Files, options: Options = {}) {
  await using folder = await makeFolder(files);
  const inFolder = (file: string) => join(folder.path, file);
  const { captions } = options;
  const dataset = await readDataset({
    data: folder.path,
    ...options,
    ...(captions !== undefined && { captions: [captions].flat().map(inFolder) }),
  });
  const { officialSplits, splitsFrom, splitSource } = dataset;
  return {
    splits: officialSplits && [officialSplits.train, officialSplits.validation, officialSplits.test],
    from: splitsFrom,
    source: splitSource?.replaceAll(folder.path, "DIR"),
    images: dataset.examples.map(({ path }) => path.slice(folder.path.length + 1)),
  };
}

Deno.test({
  name: "readDataset() takes no word that merely contains a split for one",
  ...NEEDS_FILES,
  async fn() {
    const names = ["a.jpg", "b.jpg", "c.jpg"];
    const lists = ["latest_images.txt", "constrained_images.txt", "festival_images.txt", "contest_images_readme.txt"];
    const others = Object.fromEntries(lists.map((name, index) => [name, names[index] ?? "x"]));
    const { splits } = await splitOf({ "captions.csv": csv(...names), ...images(...names), ...others });
    assert.equal(splits, undefined);
    const readme = { "test_images_README.txt": "about", "LICENSE_train_images.txt": "about" };
    assert.equal((await splitOf({ "captions.csv": csv(...names), ...images(...names), ...readme })).splits, undefined);
    for (const pair of [["festival.json", "train_station.json"], ["train_station.json", "test_drive.json"]]) {
      const [first = "", second = ""] = pair;
      await assert.rejects(splitOf({ [first]: coco("a.jpg"), [second]: coco("b.jpg"), ...images("a.jpg", "b.jpg") }), {
        message: /has several captions files/,
      });
    }
  },
});

Deno.test({
  name: "readDataset() names the file that looks like a list if another is missing",
  ...NEEDS_FILES,
  async fn() {
    const files = { "captions.csv": csv("a.jpg"), "a.jpg": "", "holiday.testImages.txt": "a.jpg" };
    await assert.rejects(splitOf(files), {
      message: /has no train list beside 'holiday\.testImages\.txt'; add it, or rename or remove/,
    });
  },
});

Deno.test({
  name: "readDataset() joins files that differ only in the split, and says so",
  ...NEEDS_FILES,
  async fn() {
    const found = await splitOf({
      "train.csv": csv("a.jpg"),
      "dev.csv": csv("b.jpg"),
      "Test.csv": csv("c.jpg"),
      ...images("a.jpg", "b.jpg", "c.jpg"),
    });
    assert.deepEqual(found, {
      splits: [["a.jpg"], ["b.jpg"], ["c.jpg"]],
      from: "captions",
      source: "the names of 'train.csv', 'dev.csv', 'Test.csv'",
      images: ["a.jpg", "b.jpg", "c.jpg"],
    });
    const half = await splitOf({
      "captions_train2014.json": coco("t1.jpg", "t2.jpg"),
      "captions_val2014.json": coco("v3.jpg", "v1.jpg", "v2.jpg"),
      ...images("t1.jpg", "t2.jpg", "v1.jpg", "v2.jpg", "v3.jpg"),
    });
    assert.deepEqual(half.splits, [["t1.jpg", "t2.jpg"], ["v1.jpg", "v3.jpg"], ["v2.jpg"]]);
    assert.equal(
      half.source,
      "the names of 'captions_train2014.json', 'captions_val2014.json'; without a test set, every second validation " +
        "image is used for testing",
    );
  },
});

Deno.test({
  name: "readDataset() takes folders of captions for the split, however they are called, and keeps equal names apart",
  ...NEEDS_FILES,
  async fn() {
    const layouts: [string, string, string][] = [
      ["train", "validation", "test"],
      ["Training", "valid", "TEST"],
      ["data/train", "data/dev", "data/test"],
      ["train2014", "val2014", "test2014"],
      ["coco_train", "coco_val", "coco_test"],
    ];
    for (const folders of layouts) {
      const files = Object.fromEntries(
        folders.flatMap((folder) => [[`${folder}/metadata.jsonl`, jsonl("0.png")], [`${folder}/0.png`, ""]]),
      );
      const { splits, images } = await splitOf(files);
      assert.deepEqual(splits, folders.map((folder) => [`${folder}/0.png`]), folders.join());
      assert.deepEqual(images, folders.map((folder) => `${folder}/0.png`));
    }
    const inner = await splitOf({
      "train/captions.csv": csv("0.png"),
      "train/images/0.png": "",
      "test/captions.csv": csv("0.png"),
      "test/images/0.png": "",
    });
    assert.deepEqual(inner.splits, [["train/images/0.png"], ["test/images/0.png"], []]);
  },
});

Deno.test({
  name: "readDataset() takes folders of images for the split, with texts beside them or captions in one file",
  ...NEEDS_FILES,
  async fn() {
    const texts = await splitOf({
      ...images("train/a.jpg", "Val/b.jpg", "test/deep/c.jpg"),
      "train/a.txt": "x",
      "Val/b.txt": "x",
      "test/deep/c.txt": "x",
    });
    assert.deepEqual(texts, {
      splits: [["train/a.jpg"], ["Val/b.jpg"], ["test/deep/c.jpg"]],
      from: "folders",
      source: "the folders 'Val', 'test', 'train'",
      images: ["Val/b.jpg", "test/deep/c.jpg", "train/a.jpg"],
    });
    const places = images("train/a.jpg", "val/b.jpg", "test/c.jpg");
    for (const names of [["a.jpg", "b.jpg", "c.jpg"], ["train/a.jpg", "val/b.jpg", "test/c.jpg"]]) {
      const { splits, from } = await splitOf({ "captions.csv": csv(...names), ...places });
      assert.deepEqual([splits, from], [names.map((name) => [name]), "folders"]);
    }
    const shard = tarFile([{ name: "a.jpg", content: "1" }, { name: "a.txt", content: "A kite ." }]);
    const shards = await splitOf({ "cc-train-0.tar": shard, "cc-train-1.tar": shard, "cc-val-0.tar": shard });
    assert.deepEqual(shards.splits, [["cc-train-0.tar/a.jpg", "cc-train-1.tar/a.jpg"], ["cc-val-0.tar/a.jpg"], []]);
    assert.match(shards.source ?? "", /^the shards 'cc-train-0\.tar', .*; without a test set, every second validation/);
  },
});

Deno.test({
  name: "readDataset() takes no folders for the split if images lie outside, or train or both others are missing",
  ...NEEDS_FILES,
  async fn() {
    const layouts: string[][] = [
      ["train/a.jpg", "test/b.jpg", "c.jpg"],
      ["train/a.jpg", "test/b.jpg", "latest/c.jpg"],
      ["train station/a.jpg", "test drive/b.jpg"],
      ["train/a.jpg", "train/b.jpg"],
      ["val/a.jpg", "test/b.jpg"],
    ];
    for (const names of layouts) {
      const { splits } = await splitOf({ "captions.csv": csv(...names), ...images(...names) });
      assert.equal(splits, undefined, names.join());
    }
  },
});

Deno.test({
  name: "readDataset() reads train.txt, val.txt and test.txt as lists if they name the images, with endings or without",
  ...NEEDS_FILES,
  async fn() {
    const files = { "captions.csv": csv("a.jpg", "b.jpg", "c.jpg"), ...images("a.jpg", "b.jpg", "c.jpg") };
    for (const ending of [".jpg", ""]) {
      const lists = { "train.txt": `a${ending}\n`, "val.txt": `b${ending}\n`, "test.txt": `c${ending}\n` };
      const { splits, from, source } = await splitOf({ ...files, ...lists });
      assert.deepEqual([splits, from], [[["a.jpg"], ["b.jpg"], ["c.jpg"]], "lists"]);
      assert.equal(source, "the lists 'test.txt', 'train.txt', 'val.txt' in DIR");
    }
    const poems = { "train.txt": "The train\nleaves .\n", "test.txt": "A test ." };
    assert.equal((await splitOf({ ...files, ...poems })).splits, undefined);
  },
});

Deno.test({
  name: "readDataset() joins several named captions files, with the split in their entries or names",
  ...NEEDS_FILES,
  async fn() {
    const files = {
      "one.csv": "image,caption,split\na.jpg,x,train\n",
      "two.csv": "image,caption,split\nb.jpg,x,val\nc.jpg,x,test\n",
      "my-train.csv": csv("a.jpg"),
      "their-val.csv": csv("b.jpg"),
      "more.csv": csv("a.jpg", "c.jpg"),
      "x.jsonl": jsonl("a.jpg"),
      ...images("a.jpg", "b.jpg", "c.jpg"),
    };
    const entries = await splitOf(files, { captions: ["one.csv", "two.csv"] });
    assert.deepEqual(entries.splits, [["a.jpg"], ["b.jpg"], ["c.jpg"]]);
    assert.equal(entries.source, "the split in 'one.csv', 'two.csv'");
    const names = await splitOf(files, { captions: ["my-train.csv", "their-val.csv"] });
    assert.deepEqual([names.splits, names.source?.split(";")[0]], [
      [["a.jpg"], ["b.jpg"], []],
      "the names of 'my-train.csv', 'their-val.csv'",
    ]);
    const joined = await splitOf(files, { captions: ["one.csv", "more.csv"] });
    assert.deepEqual([joined.images, joined.splits], [["a.jpg", "c.jpg"], undefined]);
    assert.equal(joined.source, "the split in 'one.csv', 'more.csv'", "it puts all images into the training set");
    const wrong: [string[], RegExp][] = [
      [["one.csv", "x.jsonl"], /one\.csv is in the format kaggle and .*x\.jsonl in json, and only files in one format/],
      [["one.csv", "one.csv"], /one\.csv is named twice by --captions/],
      [["their-val.csv", "more.csv"], /their-val\.csv is named for the validation set, and the name of .*more\.csv/],
    ];
    for (const [captions, message] of wrong) await assert.rejects(splitOf(files, { captions }), { message });
  },
});

Deno.test({
  name: "readDataset() lists images that were found under another name",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await makeFolder({ "captions.csv": csv("a.jpg", "IN/B.jpg"), "a.png": "", "in/b.jpg": "" });
    const { renamed } = await readDataset({ data: folder.path });
    assert.deepEqual(renamed, [{ name: "a.jpg", path: join(folder.path, "a.png") }]);
  },
});
