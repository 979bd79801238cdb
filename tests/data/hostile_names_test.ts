import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../src/input_error.ts";
import { readDataset } from "../../src/data/dataset.ts";
import { describeRejected } from "../../src/data/formats/caption_rows.ts";
import { NEEDS_FILES } from "../support/checkpoint_folder.ts";
import { tarFile } from "../support/tar_file.ts";
import { makeFolder } from "../support/temporary_folder.ts";

const bad = "a\n\u001b[31mb";
const kaggle = "image,caption\na.jpg,x\n";
const json = (...images: string[]) =>
  images.map((image) => JSON.stringify({ image, caption: "x", split: "train" })).join("\n");

/** The message of each of these contains `bad`. */
const DATASETS: Record<string, Record<string, string | Uint8Array>> = {
  "an image that is not there": { "c.jsonl": json(`${bad}.jpg`) },
  "an image outside": { "c.jsonl": json(`../${bad}.jpg`, "a.jpg"), "a.jpg": "" },
  "a split": { "c.jsonl": JSON.stringify({ image: "a.jpg", caption: "x", split: bad }) },
  "several captions files": { [`${bad}1.txt`]: kaggle, [`${bad}2.txt`]: kaggle },
  "a captions file that is refused": { [`${bad}.txt`]: "x" },
  "a captions file without rows": { [`${bad}.txt`]: "image,caption\n" },
  "a captions file with a wrong row": { [`${bad}.txt`]: `${kaggle}b.jpg,\n`, "a.jpg": "" },
  "a captions file with wrong JSON": { [`${bad}.json`]: '[{"image":"a.jpg","caption":"x"},' },
  "COCO's captions": { [`${bad}.json`]: `{"images":[],"annotations":[{"image_id":"${"x\\n\\u001b"}","caption":"x"}]}` },
  "Karpathy's captions": {
    [`${bad}.json`]: JSON.stringify({ images: [{ filename: `../${bad}`, sentences: [{ raw: "x" }], sentids: [] }] }),
  },
  "an image without a text": { "a.jpg": "", "a.txt": "x", [`${bad}.jpg`]: "" },
  "a text in a folder": { "a.jpg": "", "a.txt": "x", [`${bad}/b.jpg`]: "", [`${bad}/b.txt`]: Uint8Array.of(0xff) },
  "a member of a tar": {
    "x.tar": tarFile([{ name: "a.jpg" }, { name: "a.txt", content: "x" }, { name: `${bad}.txt`, content: "x" }]),
  },
  "a tar": { [`${bad}.tar`]: tarFile([{ name: "a.jpg" }, { name: "a.txt", content: "x" }, { name: "b.jpg" }]) },
  "several lists": { "c.txt": kaggle, "a.jpg": "", [`${bad} trainImages.txt`]: "", [`${bad}2 trainImages.txt`]: "" },
  "a name in two lists": {
    "c.txt": kaggle,
    "a.jpg": "",
    "trainImages.txt": "\u001b[2J.jpg",
    "valImages.txt": "\u001b[2J.jpg",
    "testImages.txt": "",
  },
  "a list that is no text": { "c.txt": kaggle, "a.jpg": "", [`${bad} trainImages.txt`]: Uint8Array.of(0xff) },
};

Deno.test({
  name: "readDataset() prints names of files and members on one line, without control characters",
  ...NEEDS_FILES,
  async fn() {
    for (const [what, files] of Object.entries(DATASETS)) {
      await using folder = await makeFolder(files);
      const said: string[] = [];
      try {
        const { rejected } = await readDataset({ data: folder.path });
        for (const row of rejected) said.push(describeRejected(row));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        said.push(error.message);
      }
      assert.match(said.join(" "), /\\u001b/, `${what}: ${said.join(" ")}`);
      // deno-lint-ignore no-control-regex
      for (const line of said) assert.doesNotMatch(line, /[\n\u001b]/, what);
    }
    const name = join("no such", bad);
    await assert.rejects(readDataset({ data: name }), { message: /no such\/a(?:\\n|\\u000a)\\u001b/ });
  },
});
