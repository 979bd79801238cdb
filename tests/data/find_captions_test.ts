import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { InputError } from "../../src/input_error.ts";
import { findCaptions } from "../../src/data/find_captions.ts";
import { FORMAT_NAMES, isFormat } from "../../src/data/format_names.ts";
import { NEEDS_FILES } from "../support/checkpoint_folder.ts";
import { tarFile } from "../support/tar_file.ts";
import { makeFolder } from "../support/temporary_folder.ts";

const kaggle = "image,caption\na.jpg,A kite .\n";
const token = "a.jpg#0\tA kite .\n";
const flickr30k = "image_name| comment_number| comment\r\na.jpg| 0| A kite .\r\n";
const karpathy = '{"images": [{"sentids": [0], "sentences": [], "split": "train", "filename": "a.jpg"}]}';
const filler = " ".repeat(200_000);
const coco = `{"info": {}, "images": [{"file_name": "a.jpg", "id": 1}], ${filler}"annotations": [{"caption": "x"}]}`;
const instances = `{"info": {}, "images": [{"file_name": "a.jpg", "id": 1}], ${filler}"annotations": [{"bbox": []}]}`;
const jsonLines = '\n{"image": "a.jpg"}\n{"image": "a.jpg", "caption": "A kite ."}\n';
const jsonArray = '[\n {"image": "a.jpg", "captions": ["A kite ."]}]';
const shard = tarFile([{ name: "a.jpg", content: "1" }, { name: "a.txt", content: "A kite ." }]);
const imagesTar = tarFile([{ name: "a.jpg", content: "1" }]);

type Files = Record<string, string | Uint8Array>;

async function find(files: Files, options: Partial<Parameters<typeof findCaptions>[0]> = {}) {
  await using folder = await makeFolder(files);
  const source = await findCaptions({ data: folder.path, ...options });
  return [source.format, ...source.files.map((file) => relative(folder.path, file))];
}

Deno.test({
  name: "findCaptions() detects each format by the file's content, whatever its name",
  ...NEEDS_FILES,
  async fn() {
    const contents: Record<string, string | Uint8Array> = {
      kaggle: `\uFEFF\n${kaggle}`,
      "flickr-token": `a broken line\n${token}`,
      "flickr30k-csv": flickr30k.replaceAll("| ", "|"),
      karpathy,
      coco,
      json: jsonLines,
      "json-map": '{"a.jpg": ["A kite ."]}',
      webdataset: shard,
    };
    for (const [format, content] of Object.entries(contents)) {
      await using folder = await makeFolder({ "x.txt": content });
      const file = join(folder.path, "x.txt");
      for (const options of [{ data: file }, { captions: file }]) {
        assert.deepEqual(await findCaptions(options), { format, files: [file], folder: folder.path });
      }
    }
    assert.deepEqual(await find({ "x.csv": jsonArray }), ["json", "x.csv"]);
  },
});

Deno.test({
  name: "findCaptions() finds captions in the layouts of known datasets, and skips other files",
  ...NEEDS_FILES,
  async fn() {
    const layouts: [Files, string[]][] = [
      [{ "captions.txt": kaggle, "Images/a.jpg": "", "readme.txt": "x", "inner/captions.txt": kaggle }, [
        "kaggle",
        "captions.txt",
      ]],
      [{
        "text/Flickr8k.token.txt": token,
        "text/Flickr8k.lemma.token.txt": token,
        "text/ExpertAnnotations.txt": "a.jpg\tb.jpg#2\t1\t1\t1\n",
        "text/Flickr_8k.trainImages.txt": "a.jpg\n",
      }, ["flickr-token", "text/Flickr8k.token.txt"]],
      [{ "flickr30k_images/results.csv": flickr30k, "flickr30k_images/flickr30k_images/a.jpg": "" }, [
        "flickr30k-csv",
        "flickr30k_images/results.csv",
      ]],
      [{ "annotations/captions_val2014.json": coco, "annotations/instances_val2014.json": instances }, [
        "coco",
        "annotations/captions_val2014.json",
      ]],
      [{ "captions_val2017.json": coco, "captions_train2017.json": coco }, [
        "coco",
        "captions_train2017.json",
        "captions_val2017.json",
      ]],
      [{ "train/0.tar": imagesTar, "train/1.tar": shard, "val/0.tar": shard }, [
        "webdataset",
        "train/0.tar",
        "train/1.tar",
        "val/0.tar",
      ]],
      [{ "captions.txt": kaggle, "Images.tar": imagesTar }, ["kaggle", "captions.txt"]],
      [{ "train2014.json": coco, "val_captions2014.json": coco }, ["coco", "train2014.json", "val_captions2014.json"]],
      [{ "train/a.jpg": "", "train/a.txt": "x", "val/b.jpg": "", "val/b.txt": "x" }, ["folder"]],
      [{ "one/two/three/a.jpg": "", "one/two/three/a.txt": "x" }, ["folder"]],
      [{ "captions.txt": "image,text\na.jpg,x\n" }, ["kaggle", "captions.txt"]],
    ];
    for (const [files, expected] of layouts) assert.deepEqual(await find(files), expected);
  },
});

Deno.test({
  name: "findCaptions() finds Hugging Face's metadata, and JSON with other programs' keys",
  ...NEEDS_FILES,
  async fn() {
    for (const image of ["image", "file_name", "file_path", "image_path"]) {
      for (const [key, value] of [["caption", "x"], ["captions", ["x"]], ["text", "x"], ["caption_0", "x"]] as const) {
        const entry = JSON.stringify({ id: 1, [image]: "a.jpg", [key]: value });
        for (
          const [name, text] of [["x.json", `[${entry}]`], ["x.jsonl", entry], ["x.json", `[\n${entry}\n]`]] as const
        ) {
          assert.deepEqual(await find({ [name]: text, "a.jpg": "" }), ["json", name], text);
        }
      }
    }
    for (
      const header of [
        "file_name,text",
        "file_name,captions",
        "split,file_name,caption_0,caption_1",
        "caption,file_name",
      ]
    ) {
      assert.deepEqual(await find({ "metadata.csv": `${header}\na,b,c,d\n` }), ["kaggle", "metadata.csv"], header);
    }
    assert.deepEqual(await find({ "Train/metadata.csv": "file_name,text\na.jpg,x\n", "Train/a.jpg": "" }), [
      "kaggle",
      "Train/metadata.csv",
    ]);
    for (const map of ['{"a.jpg": ["x"]}', '{\n "a": {"caption": "x"}\n}']) {
      assert.deepEqual(await find({ "meta_cap.json": map, "a.jpg": "" }), ["json-map", "meta_cap.json"]);
    }
  },
});

Deno.test({
  name: "findCaptions() says which files are in formats that are not read, and why texts and images do not match",
  ...NEEDS_FILES,
  async fn() {
    const chat = JSON.stringify([{ image: "a.jpg", conversations: [{ from: "gpt", value: "x" }] }]);
    const wrong: [Files, RegExp][] = [
      [
        { "data/train-0.parquet": "PAR1" },
        /'train-0\.parquet' is a Parquet file, convert it with two lines of Python: i/,
      ],
      [{ "train/data-0.arrow": "ARROW1" }, /'data-0\.arrow' is an Arrow file, convert it as docs/],
      [{ "captions.xlsx": "PK\x03\x04" }, /'captions\.xlsx' is an Excel workbook, save its table as CSV/],
      [{ "chat.json": chat, "a.jpg": "" }, /'chat\.json' is a list of LLaVA's conversations, write the answers/],
      [
        { "img0.png": "", "img1.png": "", "caption0.txt": "x", "caption1.txt": "x" },
        /'caption0\.txt' has another name than any image: the text of 'img0\.png' is called 'img0\.txt'$/,
      ],
      [{ "in/img0.png": "", "in/caption0.caption": "x" }, /'caption0\.caption' has another name than any image/],
      [{ "a.bmp": "", "a.txt": "x" }, /'a\.txt' is beside a\.bmp: convert that to JPEG or PNG$/],
    ];
    for (const [files, message] of wrong) await assert.rejects(find(files), { name: "InputError", message });
  },
});

Deno.test({
  name: "findCaptions() joins to one of COCO's files that of the same year for the other part",
  ...NEEDS_FILES,
  async fn() {
    const names = ["captions_train2014.json", "captions_val2014.json", "captions_train2017.json"];
    await using folder = await makeFolder({
      ...Object.fromEntries(names.map((name) => [name, coco])),
      "captions_val2017.json": instances,
    });
    const [train, val, alone] = names.map((name) => join(folder.path, name));
    for (const captions of [train, val]) {
      assert.deepEqual((await findCaptions({ captions })).files, [train, val]);
      assert.deepEqual((await findCaptions({ captions, format: "coco" })).files, [train, val]);
    }
    assert.deepEqual((await findCaptions({ captions: alone })).files, [alone]);
  },
});

Deno.test({
  name: "findCaptions() leaves the only text to the reader of the format that is named",
  ...NEEDS_FILES,
  async fn() {
    const files = { "captions.txt": "filename,tags\na.jpg,x\n", "a.jpg": "", "a.txt": "beside its image" };
    assert.deepEqual(await find(files, { format: "kaggle" }), ["kaggle", "captions.txt"]);
    await assert.rejects(find(files, { format: "webdataset" }), { message: /no captions of format webdataset/ });
    await assert.rejects(find({ ...files, "b.txt": "x" }, { format: "kaggle" }), { message: /no captions of format/ });
  },
});

Deno.test({
  name: "findCaptions() looks at the first 100 files of a folder, those with known names before all",
  ...NEEDS_FILES,
  async fn() {
    const others = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${1000 + index}.txt`, "x"]));
    assert.deepEqual(await find({ ...others, "my captions.txt": kaggle }), ["kaggle", "my captions.txt"]);
    await assert.rejects(find({ ...others, "z.txt": kaggle }), { message: /there are no captions/ });
  },
});

Deno.test({
  name: "findCaptions() names several candidates and the remedy, and follows the named format",
  ...NEEDS_FILES,
  async fn() {
    const files = { "captions.txt": kaggle, "results.csv": flickr30k, "a.jpg": "", "a.txt": "A kite ." };
    await assert.rejects(find(files), {
      name: "InputError",
      message:
        /has several captions files, 'captions\.txt' \(kaggle\) and 'results\.csv' \(flickr30k-csv\) and texts beside images \(folder\); name one with --captions, or its format with --format$/,
    });
    assert.deepEqual(await find(files, { format: "flickr30k-csv" }), ["flickr30k-csv", "results.csv"]);
    assert.deepEqual(await find(files, { format: "folder" }), ["folder"]);
    await assert.rejects(find({ "x.token": token, "y.token": token }), {
      message: /'x\.token' \(flickr-token\) and 'y\.token' \(flickr-token\); name one with --captions$/,
    });
    const twoForTraining = { "train.csv": kaggle, "training.csv": kaggle, "val.csv": kaggle };
    await assert.rejects(find(twoForTraining), { message: /several captions files/ });
    const both = { "captions_train2014.json": coco, "captions_train2017.json": coco };
    await assert.rejects(find(both), { message: /several captions files/ });
  },
});

Deno.test({
  name: "findCaptions() describes unsuitable input in one line",
  ...NEEDS_FILES,
  async fn() {
    const wrong: [Files, Partial<Parameters<typeof findCaptions>[0]>, RegExp][] = [
      [{ "a.jpg": "" }, {}, /there are no captions in .*\(captions\.txt, .*--captions/],
      [{ "captions.txt": kaggle, "x.csv": kaggle }, { format: "coco" }, /there are no captions of format coco in /],
      [{ "0.tar": tarFile([{ name: "a.b.jpg" }]) }, {}, /'0\.tar' has no key\.txt .* \(a key ends at the first dot\)$/],
      [
        { "x.txt": "a poem" },
        { captions: "x.txt" },
        /is in no format that is known; name one with --format \(kaggle, /,
      ],
      [{ "x.txt": " \n\n" }, { captions: "x.txt" }, /x\.txt is empty; name another file/],
      [{ "x.tgz": Uint8Array.of(0x1f, 0x8b, 8) }, { captions: "x.tgz" }, /x\.tgz is compressed with gzip; unpack it/],
      [{ "x.zip": "PK\x03\x04" }, { captions: "x.zip" }, /x\.zip is a zip archive; unpack it/],
      [{ "x.txt": kaggle }, { captions: "x.txt", format: "folder" }, /--format folder needs a folder/],
      [{}, { captions: "." }, /is a folder; name a file in it/],
      [{}, { captions: "none.txt" }, /none\.txt.*there is no such file/],
      [{}, { data: undefined }, /give --data PATH/],
    ];
    for (const [files, options, message] of wrong) {
      await using folder = await makeFolder(files);
      const { captions } = options;
      const data = {
        data: folder.path,
        ...options,
        ...(captions !== undefined && { captions: [captions].flat().map((file) => join(folder.path, file)) }),
      };
      await assert.rejects(
        findCaptions(data),
        (error) => error instanceof InputError && message.test(error.message) && !error.message.includes("\n"),
        String(message),
      );
    }
  },
});

Deno.test("isFormat() knows the names of the formats", () => {
  assert.equal(FORMAT_NAMES.length, 9);
  assert(isFormat("coco") && !isFormat("toString") && !isFormat("COCO"));
});
