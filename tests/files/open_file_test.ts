import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { readVocabularyFile } from "../../src/checkpoint/vocabulary_file.ts";
import { openWeights } from "../../src/checkpoint/weights_file.ts";
import { readCaptions } from "../../src/data/read_captions.ts";
import { fileDigest } from "../../src/files/file_digest.ts";
import { openFile, openRegular, readRegularText } from "../../src/files/open_file.ts";
import { decodeImageFile } from "../../src/images/decode_image.ts";
import { InputError } from "../../src/input_error.ts";
import { RunFolder } from "../../src/pipeline/run_folder.ts";
import { readReportedRun } from "../../src/report/reported_run.ts";
import { namesIn, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";
import { canRun } from "../support/test_data.ts";

Deno.test({
  name: "readRegularText() reads all of a file, and refuses one that is too large",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("text");
    await Deno.writeTextFile(path, "a dög");
    assert.equal(await readRegularText(path, 6), "a dög");
    await assert.rejects(readRegularText(path, 5), /^Error: it has 6 bytes, more than 5$/);
  },
});

Deno.test({
  name: "openRegular() and readRegularText() refuse folders and devices before they open them",
  ...NEEDS_FILES,
  async fn() {
    for (const path of ["/dev/null", "/"]) {
      await assert.rejects(openRegular(path), /^Error: it is not a file$/);
      await assert.rejects(readRegularText(path, 1), /^Error: it is not a file$/);
    }
  },
});

/** Readers of files that a user names, given a folder with a named pipe under the name they look for. */
const READERS: Readonly<Record<string, (folder: string, pipe: string) => Promise<unknown>>> = {
  "any file": (_, pipe) => openFile(pipe),
  "an image": (_, pipe) => decodeImageFile({ path: pipe }, {}),
  captions: (folder, pipe) => readCaptions({ format: "kaggle", files: [pipe], folder }),
  "a checkpoint": (_, pipe) => openCheckpoint(pipe),
  weights: (_, pipe) => openWeights(pipe),
  "a vocabulary": (_, pipe) => readVocabularyFile(pipe),
  "a digest": (_, pipe) => fileDigest(pipe),
  "config.json": (folder) => new RunFolder(folder).readConfig(),
  "metrics.jsonl": (folder) => new RunFolder(folder).readMetrics(1),
  "config.json to lock": (folder) => new RunFolder(folder).lock(),
  "config.json of a report": (folder) => readReportedRun(folder),
};

Deno.test({
  name: "a named pipe is refused, and nobody waits for its writer",
  ignore: NEEDS_FILES.ignore || !canRun || Deno.build.os === "windows",
  async fn(t) {
    await using folder = await temporaryFolder();
    const pipes = ["pipe", "config.json", "metrics.jsonl"].map((name) => join(folder.path, name));
    assert((await new Deno.Command("mkfifo", { args: pipes }).output()).success);
    for (const [what, read] of Object.entries(READERS)) {
      await t.step(what, async () => {
        await assert.rejects(read(folder.path, folder.file("pipe")), (error) => {
          assert(error instanceof InputError);
          assert.match(error.message, /not a (?:regular )?file/);
          return true;
        });
      });
    }
    assert.deepEqual(namesIn(folder.path), ["config.json", "metrics.jsonl", "pipe"]);
  },
});
