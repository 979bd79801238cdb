import assert from "node:assert/strict";
import { join } from "node:path";
import { openCaptionFile } from "../../src/cli/caption_file.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";

const ignore = !(canRead && canWrite);

async function write(
  path: string,
  { force = false, texts = ["a\n", "b\n"], isComplete = true } = {},
): Promise<string[]> {
  const notes: string[] = [];
  await using file = await openCaptionFile(path, { force, note: (line) => notes.push(line) });
  for (const text of texts) await file.add(text);
  if (isComplete) file.complete();
  return notes;
}

Deno.test({
  name: "openCaptionFile() writes all captions at its end, and says where",
  ignore,
  async fn() {
    await using folder = await makeFolder({});
    const path = join(folder.path, "captions.csv");
    assert.deepEqual(await write(path), [`Captions: ${path}`]);
    assert.equal(await Deno.readTextFile(path), "a\nb\n");
  },
});

Deno.test({
  name: "openCaptionFile() replaces a file only by force, and never by nothing",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "captions.csv": "mine", "folder/a": "b" });
    const path = join(folder.path, "captions.csv");
    await assert.rejects(write(path), /^InputError: Cannot write '.*': it exists already; .* --force$/);
    assert.deepEqual(await write(path, { force: true, texts: [] }), []);
    assert.equal(await Deno.readTextFile(path), "mine");
    await write(path, { force: true });
    assert.equal(await Deno.readTextFile(path), "a\nb\n");
    await assert.rejects(write(join(folder.path, "folder"), { force: true }), /it exists already; choose another$/);
    await assert.rejects(write(join(folder.path, "gone/a.csv")), /there is no folder/);
    await assert.rejects(write(join(path, "a.csv")), /a part of the path is a file/);
  },
});

Deno.test({
  name: "openCaptionFile() keeps an existing file if not all captions are there, and writes those beside it",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "captions.csv": "mine" });
    const path = join(folder.path, "captions.csv");
    const partial = join(folder.path, "captions.partial.csv");
    assert.deepEqual(await write(path, { force: true, isComplete: false }), [
      `Captions: ${partial}, not of all images; ${path} is as it was`,
    ]);
    assert.equal(await Deno.readTextFile(path), "mine");
    assert.equal(await Deno.readTextFile(partial), "a\nb\n");
    await write(join(folder.path, "new.csv"), { isComplete: false });
    assert.equal(await Deno.readTextFile(join(folder.path, "new.csv")), "a\nb\n");
  },
});
