import assert from "node:assert/strict";
import { splitOfName, splitOfPath, splitOfWord } from "../../src/data/split_name.ts";

Deno.test("splitOfName() finds the split in a whole part of a name", () => {
  const names: Record<string, string> = {
    "Flickr_8k.trainImages.txt": "train",
    "Flickr_8k.devImages.txt": "validation",
    "captions_val2014.json": "validation",
    "TRAIN.csv": "train",
    "Training": "train",
    "trainimages.txt": "train",
    "TestImages.txt": "test",
    "cc3m-validation-0004.tar": "validation",
    "retrieval_train.json": "train",
    "festival_test.json": "test",
    "my valid set": "validation",
    "test.images": "test",
  };
  for (const [name, part] of Object.entries(names)) assert.equal(splitOfName(name)?.part, part, name);
});

Deno.test("splitOfName() finds no split inside another word, and none of two", () => {
  const names = [
    "latest_images.txt",
    "constrained_images.txt",
    "festival.json",
    "contest_images_readme.txt",
    "retrieval.json",
    "trainer",
    "devices",
    "évalué",
    "train_test_split.txt",
    "trainval.json",
    "captions.txt",
    "",
  ];
  for (const name of names) assert.equal(splitOfName(name), undefined, name);
});

Deno.test("splitOfPath() finds the split in a file's name or its folder's, and what the splits have in common", () => {
  const common = (path: string) => splitOfPath(path)?.common ?? assert.fail(path);
  assert.equal(splitOfPath("data/Validation/metadata.jsonl")?.part, "validation");
  assert.equal(common("train/metadata.jsonl"), common("test/metadata.jsonl"));
  assert.equal(common("captions_train2014.json"), common("val2014.json"));
  assert.notEqual(common("captions_train2014.json"), common("captions_val2017.json"));
  assert.notEqual(common("train_station.json"), common("test_drive.json"));
  assert.notEqual(common("a/train.json"), common("b/test.json"));
  for (const path of ["train/val.json", "latest/captions.csv"]) assert.equal(splitOfPath(path), undefined, path);
});

Deno.test("splitOfWord() ignores case, and knows no inherited names", () => {
  assert.deepEqual(["Dev", "TESTING", "latest", "toString"].map(splitOfWord), [
    "validation",
    "test",
    undefined,
    undefined,
  ]);
});
