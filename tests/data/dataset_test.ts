import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../src/input_error.ts";
import { readDataset } from "../../src/data/dataset.ts";
import { splitOfficially } from "../../src/data/splits.ts";
import { tarFile } from "../support/tar_file.ts";
import { canRead, canWrite, testData } from "../support/test_data.ts";
import { makeFolder } from "../support/temporary_folder.ts";

const ignore = !canRead || !canWrite;
const captions = "image,caption\nb.jpg,A kite .\na.jpg,A boat .\nb.jpg,A red kite .\ngone.jpg,A fox .\n";
const tokens = "a.jpg#0\tA boat .\nb.jpg#0\tA kite .\n";
const lists = {
  "Flickr_8k.trainImages.txt": "a.jpg\r\n",
  "Flickr_8k.devImages.txt": "b.jpg\r\n\r\n",
  "Flickr_8k.testImages.txt": "c.jpg",
};

Deno.test({
  name: "readDataset() groups captions by image, in file order, and counts images that are not there",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "captions.txt": captions, "Images/a.jpg": "", "Images/b.jpg": "" });
    const dataset = await readDataset({ data: folder.path });
    assert.deepEqual(dataset.examples, [
      { name: "b.jpg", path: join(folder.path, "Images", "b.jpg"), captions: ["A kite .", "A red kite ."] },
      { name: "a.jpg", path: join(folder.path, "Images", "a.jpg"), captions: ["A boat ."] },
    ]);
    assert.deepEqual(
      dataset.rows.map(({ example, caption }) => [example.name, caption]),
      [["b.jpg", "A kite ."], ["a.jpg", "A boat ."], ["b.jpg", "A red kite ."]],
    );
    assert.deepEqual(dataset.missing, ["gone.jpg"]);
    assert.deepEqual([dataset.format, dataset.captionFiles], ["kaggle", [join(folder.path, "captions.txt")]]);
    assert.deepEqual(dataset.rejected, []);
    assert.deepEqual([dataset.officialSplits, dataset.splitsFrom], [undefined, undefined]);
    assert.match(dataset.fingerprint, /^[0-9a-f]{16}$/);
  },
});

Deno.test({
  name: "readDataset() finds captions and images in the layouts of the Flickr datasets",
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
      assert.deepEqual(dataset.examples.map((example) => example.name), ["a.jpg"], JSON.stringify(layout));
    }
  },
});

Deno.test({
  name: "readDataset() takes a named captions file and images folder, or searches beside the file",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "x/words.csv": captions, "y/a.jpg": "", "x/Images/b.jpg": "" });
    const named = await readDataset({ captions: join(folder.path, "x/words.csv"), images: join(folder.path, "y") });
    assert.deepEqual(named.examples.map((example) => example.name), ["a.jpg"]);
    const beside = await readDataset({ captions: join(folder.path, "x/words.csv") });
    assert.deepEqual(beside.examples.map((example) => example.name), ["b.jpg"]);
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
    assert.deepEqual(dataset.examples.map((example) => example.path), [join(folder.path, "in", "a.jpg")]);
    assert.deepEqual(dataset.missing, ["out/b.jpg"]);
  },
});

Deno.test({
  name: "readDataset() reads the official lists beside the captions or in the named folder",
  ignore,
  async fn() {
    const expected = { train: ["a.jpg"], validation: ["b.jpg"], test: ["c.jpg"] };
    await using beside = await makeFolder({ "captions.txt": captions, "a.jpg": "", ...lists });
    assert.deepEqual((await readDataset({ data: beside.path })).officialSplits, expected);
    await using elsewhere = await makeFolder(lists);
    await using plain = await makeFolder({ "captions.txt": captions, "a.jpg": "" });
    const named = await readDataset({ data: plain.path, splits: elsewhere.path });
    assert.deepEqual([named.officialSplits, named.splitsFrom], [expected, "lists"]);
    await assert.rejects(readDataset({ data: plain.path, splits: plain.path }), /has no lists named like/);
  },
});

Deno.test({
  name: "readDataset() explains for each file that looks like captions why it is not",
  ignore,
  async fn() {
    const utf16 = new Uint8Array(
      new Uint16Array([0xfeff, ...captions].map((unit) => typeof unit === "number" ? unit : unit.charCodeAt(0))).buffer,
    );
    const files = {
      "captions.txt": utf16,
      "notes.csv": "filename,tags\na.jpg,A kite",
      "b.tar.gz": new Uint8Array([0x1f, 0x8b, 8]),
    };
    await using folder = await makeFolder(files);
    await assert.rejects(readDataset({ data: folder.path }), (error) => {
      assert(error instanceof InputError && !error.message.includes("\n"));
      assert.match(error.message, /'captions\.txt' is text in UTF-16, convert it to UTF-8/);
      assert.match(error.message, /'b\.tar\.gz' is compressed with gzip, unpack it/);
      assert.match(
        error.message,
        /'notes\.csv' begins with the line 'filename,tags', where captions\.txt has 'image,caption'/,
      );
      return true;
    });
    await assert.rejects(readDataset({ captions: join(folder.path, "captions.txt") }), /is text in UTF-16; convert it/);
  },
});

Deno.test({
  name: "readDataset() skips links that form a loop, and takes no text beside an image for a list",
  ignore,
  async fn() {
    const pairs = ["train_images_0", "train_images_1", "test_images_2"];
    const files = Object.fromEntries(pairs.flatMap((name) => [[`${name}.jpg`, ""], [`${name}.txt`, "A kite ."]]));
    await using folder = await makeFolder(files);
    await Deno.symlink("round", join(folder.path, "round"));
    const { examples, officialSplits } = await readDataset({ data: folder.path });
    assert.deepEqual([examples.length, officialSplits], [3, undefined]);
  },
});

Deno.test({
  name:
    "readDataset() reads Hugging Face's metadata.jsonl, captions in lists, and lines that end with carriage returns",
  ignore,
  async fn() {
    const read = async (name: string, text: string) => {
      await using folder = await makeFolder({ [name]: text, "a.jpg": "", "b.jpg": "" });
      return (await readDataset({ data: folder.path })).examples.map(({ name, captions }) => [name, ...captions]);
    };
    const lines = ["a", "b"].map((name) => JSON.stringify({ file_name: `${name}.jpg`, text: `A ${name} .` }));
    const expected = [["a.jpg", "A a ."], ["b.jpg", "A b ."]];
    assert.deepEqual(await read("metadata.jsonl", lines.join("\n")), expected);
    assert.deepEqual(await read("metadata.jsonl", lines.join("\r")), expected);
    assert.deepEqual(await read("captions.txt", "image,caption\ra.jpg,A a .\rb.jpg,A b ."), expected);
    assert.deepEqual(await read("Flickr.token.txt", "a.jpg#0\tA a .\rb.jpg#0\tA b ."), expected);
    const blip = [{ image: "a.jpg", caption: ["A a .", "One a ."], split: "Train" }];
    assert.deepEqual(await read("blip.json", JSON.stringify(blip)), [["a.jpg", "A a .", "One a ."]]);
  },
});

Deno.test({
  name: "readDataset() describes what is wrong with a dataset in one line",
  ignore,
  async fn() {
    const wrong: [Record<string, string>, RegExp][] = [
      [{ "a.jpg": "" }, /there are no captions in .*--captions/],
      [
        { "captions.txt": captions, "Images/z.jpg": "" },
        /none of the 3 images of .* is in .*Images, .*'b\.jpg'.*--images/,
      ],
      [{ "x.token": tokens, "y.token": tokens }, /several captions files, 'x\.token' .* and 'y\.token'/],
      [{ "captions.txt": "image,caption\n../a.jpg,x\n" }, /'\.\.\/a\.jpg', which leads out of the images folder/],
      [{ "captions.txt": captions, "a.jpg": "", "devImages.txt": "a.jpg" }, /has no train list/],
      [{ "captions.txt": captions, "a.jpg": "", ...lists, "testImages.txt": "" }, /are both test lists/],
      [
        { "captions.txt": captions, "a.jpg": "", ...lists, "Flickr_8k.testImages.txt": "x.jpg\na.jpg" },
        /'a\.jpg' is in the train list and in the test list/,
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
      [{ data: join(folder.path, "none") }, /none': there is no such file or folder/],
      [{ data: join(folder.path, "captions.txt") }, /none of the 3 images/],
      [
        { data: folder.path, images: join(folder.path, "none") },
        /Cannot read images '.*none': there is no such file or folder/,
      ],
      [{}, /give --data PATH/],
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
  name: "readDataset() skips rows that cannot be used, with their file and line; strict makes them an error",
  ignore,
  async fn() {
    const file = "image,caption\n../a.jpg,x\na.jpg,A kite .\nb.jpg,\n";
    await using folder = await makeFolder({ "captions.txt": file, "a.jpg": "", "b.jpg": "" });
    const { examples, rejected, missing } = await readDataset({ data: folder.path });
    assert.deepEqual(examples.map(({ name }) => name), ["a.jpg"]);
    assert.deepEqual(missing, []);
    assert.deepEqual(
      rejected.map(({ file, line }) => [file, line]),
      [2, 4].map((line) => [
        join(folder.path, "captions.txt"),
        line,
      ]),
    );
    await assert.rejects(readDataset({ data: folder.path, strict: true }), {
      message: /: line 2 of .*omit --strict/,
    });
  },
});

Deno.test({
  name: "readDataset() finds images with spaces and in other scripts, their letters composed or not",
  ignore,
  async fn() {
    const names = ["a b.jpg", "凧 揚げ.jpg", "سماء.png", "für/é.jpg"];
    for (const [written, onDisk] of [["NFC", "NFD"], ["NFD", "NFC"], ["NFC", "NFC"]] as const) {
      await using folder = await makeFolder({
        "captions.txt": `image,caption\n${names.map((name) => `${name.normalize(written)},x\n`).join("")}`,
        ...Object.fromEntries(names.map((name) => [`Images/${name.normalize(onDisk)}`, ""])),
        "trainImages.txt": names[3]?.normalize(onDisk) ?? "",
        "valImages.txt": "a b.jpg",
        "testImages.txt": "سماء.png",
      });
      const { examples, missing, officialSplits } = await readDataset({ data: folder.path });
      assert.deepEqual(missing, []);
      assert.deepEqual(examples.map(({ name }) => name), names.map((name) => name.normalize(written)));
      for (const { path } of examples) assert((await Deno.stat(path)).isFile);
      assert.deepEqual(officialSplits?.train, [names[3]?.normalize(written)]);
    }
  },
});

Deno.test({
  name: "readDataset() makes one image of an image whose name is written in two ways, in one split alone",
  ignore,
  async fn() {
    const rows = [["train", "é.jpg"], ["test", "e\u0301.jpg"], ["test", "./é.jpg"], ["test", "b.jpg"], [
      "val",
      "c.jpg",
    ]];
    const lines = rows.map(([split, image]) => JSON.stringify({ image, caption: `${split} .`, split }));
    await using folder = await makeFolder({ "c.jsonl": lines.join("\n"), "é.jpg": "", "b.jpg": "", "c.jpg": "" });
    const dataset = await readDataset({ data: folder.path });
    const { examples, rows: captioned, officialSplits, splitsFrom, inSeveralLists } = dataset;
    assert.deepEqual(inSeveralLists, ["é.jpg"]);
    assert.deepEqual(examples.map(({ name, captions }) => [name, captions.length]), [
      ["é.jpg", 3],
      ["b.jpg", 1],
      ["c.jpg", 1],
    ]);
    assert.equal(captioned.length, 5);
    assert.deepEqual(officialSplits, { train: [], validation: ["c.jpg"], test: ["é.jpg", "b.jpg"] });
    assert.equal(splitsFrom, "captions");
  },
});

Deno.test({
  name: "readDataset() finds COCO's images beside or above its annotations, and Karpathy's by filepath or without",
  ignore,
  async fn() {
    const coco = (name: string) =>
      JSON.stringify({ images: [{ id: 1, file_name: name }], annotations: [{ image_id: 1, caption: "A kite ." }] });
    const karpathy = JSON.stringify({
      images: ["train2014", "val2014"].map((filepath) => (
        { filepath, filename: `${filepath}_1.jpg`, split: "train", sentids: [0], sentences: [{ raw: "A kite ." }] }
      )),
    });
    const annotations = { "captions_train2014.json": coco("t.jpg"), "captions_val2014.json": coco("v.jpg") };
    const inFolder = Object.fromEntries(
      Object.entries(annotations).map(([name, text]) => [`annotations/${name}`, text]),
    );
    const layouts: [Record<string, string>, string][] = [
      [{ ...annotations, "train2014/t.jpg": "", "val2014/v.jpg": "" }, "."],
      [{ ...inFolder, "train2014/t.jpg": "", "val2014/v.jpg": "" }, "."],
      [{ ...inFolder, "train2014/t.jpg": "", "val2014/v.jpg": "" }, "annotations"],
      [{ ...inFolder, "images/train2014/t.jpg": "", "images/val2014/v.jpg": "" }, "."],
      [{ "dataset_coco.json": karpathy, "train2014/train2014_1.jpg": "", "val2014/val2014_1.jpg": "" }, "."],
      [{ "dataset_coco.json": karpathy, "images/train2014_1.jpg": "", "images/val2014_1.jpg": "" }, "."],
    ];
    for (const [files, data] of layouts) {
      await using folder = await makeFolder(files);
      const { examples, missing } = await readDataset({ data: join(folder.path, data) });
      assert.deepEqual([examples.length, missing.length], [2, 0], JSON.stringify(files));
    }
  },
});

Deno.test({
  name: "readDataset() follows a split in the captions, unless only the training images exist",
  ignore,
  async fn() {
    const entries = ["train", "val", "val"].map((split, index) => ({
      image: `${index}.jpg`,
      caption: "A kite .",
      split,
    }));
    const read = async (...images: string[]) => {
      const captions = { "c.jsonl": entries.map((entry) => JSON.stringify(entry)).join("\n") };
      await using folder = await makeFolder({ ...captions, ...Object.fromEntries(images.map((name) => [name, ""])) });
      const { officialSplits, splitsFrom } = await readDataset({ data: folder.path });
      return [officialSplits, splitsFrom];
    };
    const told = [{ train: ["0.jpg"], validation: ["1.jpg"], test: ["2.jpg"] }, "captions"];
    assert.deepEqual(await read("0.jpg", "1.jpg", "2.jpg"), told);
    assert.deepEqual(await read("0.jpg", "1.jpg"), told);
    assert.deepEqual(await read("0.jpg"), [undefined, undefined]);
  },
});

Deno.test({
  name: "readDataset() reads images out of tar shards by their place, and no others",
  ignore,
  async fn() {
    const shard = tarFile([{ name: "a.jpg", content: "picture" }, { name: "a.txt", content: "A kite ." }]);
    await using folder = await makeFolder({ "0.tar": shard, "1.tar": shard });
    const path = join(folder.path, "1.tar");
    const whole = await readDataset({ data: folder.path });
    assert.deepEqual(whole.examples.map(({ name }) => name), ["0.tar/a.jpg", "1.tar/a.jpg"]);
    assert.deepEqual((await readDataset({ data: path })).examples, [
      { name: "1.tar/a.jpg", path, offset: 512, size: 7, member: "a.jpg", captions: ["A kite ."] },
    ]);
    await assert.rejects(readDataset({ data: path, images: folder.path }), { message: /omit --images/ });
  },
});

Deno.test({
  name: "readDataset() reads pieces of COCO, Flickr30k and Karpathy's Flickr8k",
  ignore: testData === undefined,
  async fn() {
    const folder = testData ?? "";
    const coco = await readDataset({ data: join(folder, "coco-mini") });
    assert.deepEqual([coco.format, coco.examples.length, coco.missing.length], ["coco", 80, 0]);
    const flickr = await readDataset({ data: join(folder, "formats", "flickr30k") });
    assert.deepEqual([flickr.format, flickr.examples.length, flickr.rows.length], ["flickr30k-csv", 1, 5]);
    const kaggle = await readDataset({ data: join(folder, "flickr8k-mini") });
    assert.deepEqual([kaggle.format, kaggle.examples.length, kaggle.rejected.length], ["kaggle", 875, 0]);
    const captions = join(folder, "formats", "karpathy_flickr8k_first3.json");
    const karpathy = await readDataset({ captions, images: join(folder, "flickr8k-224", "Images") });
    assert.equal(karpathy.format, "karpathy");
    assert.equal(karpathy.examples.length + karpathy.missing.length, 3);
  },
});

Deno.test({
  name: "readDataset() reads Flickr8k with its official split",
  ignore: testData === undefined,
  async fn() {
    const folder = testData ?? "";
    const captions = join(folder, "flickr8k-text", "Flickr8k.token.txt");
    const dataset = await readDataset({ captions, images: join(folder, "flickr8k-224", "Images") });
    assert.equal(dataset.examples.length, 3500);
    assert.equal(dataset.rows.length, 17500);
    assert.equal(dataset.missing.length, 8092 + 1 - 3500);
    assert.ok(dataset.missing.includes("2258277193_586949ec62.jpg.1"));
    const { train = [], validation = [], test = [] } = dataset.officialSplits ?? {};
    assert.deepEqual([train.length, validation.length, test.length], [6000, 1000, 1000]);
    const { officialSplits } = dataset;
    assert.ok(officialSplits);
    const splits = splitOfficially(dataset.examples, officialSplits);
    assert.deepEqual([splits.train.length, splits.validation.length, splits.test.length], [3000, 500, 0]);
  },
});

Deno.test({
  name: "readDataset() says that rows are repeated, and nothing of the few in published datasets",
  ignore,
  async fn() {
    const row = (index: number) => `${index}.jpg,A kite ${index} .\n`;
    const images = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${index}.jpg`, ""]));
    const rows = Array.from({ length: 100 }, (_, index) => row(index));
    const remarks = async (text: string) => {
      await using folder = await makeFolder({ ...images, "captions.csv": `image,caption\n${text}` });
      return (await readDataset({ data: folder.path })).remarks;
    };
    assert.deepEqual(await remarks([...rows, ...rows, ...rows].join("")), [
      "200 of 300 captions repeat another of the same image, and each counts; remove repeated rows",
    ]);
    assert.deepEqual(await remarks([...rows, row(1)].join("")), []);
  },
});

Deno.test({
  name: "readDataset() finds tables with tabs and semicolons, and Excel's first line",
  ignore,
  async fn() {
    for (
      const [name, text] of [["data.tsv", "image\tcaption\na.jpg\tx\n"], ["data.csv", "sep=;\nimage;text\na.jpg;x\n"]]
    ) {
      await using folder = await makeFolder({ "a.jpg": "", [name ?? ""]: text ?? "" });
      assert.deepEqual((await readDataset({ data: folder.path })).examples.map(({ captions }) => captions), [["x"]]);
    }
  },
});
