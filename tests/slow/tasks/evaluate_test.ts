import assert from "node:assert/strict";
import { join } from "node:path";
import { makeFolder } from "../../support/temporary_folder.ts";
import { drawDataset, TINY } from "../../support/draw_dataset.ts";
import { assertDone, assertRefused, canRunTasks, runTask } from "../../support/run_task.ts";

const ignore = !canRunTasks;

const CAPTIONS = [{ image_id: 1, caption: "A red kite ." }, { image_id: 2, caption: "two boats at sea" }];
const REFERENCES = { 1: ["a red kite", "the kite is red"], 2: ["Two boats !"] };

Deno.test({
  name: "evaluate scores a model on its test split, and the files it writes get the same scores",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const options = { folder: folder.path };
    assertDone(await runTask("train", ["--data", "drawn", "--out", "run", ...TINY], options));
    const model = ["--checkpoint", "run/best.safetensors", "--data", "drawn"];
    const evaluated = await runTask("evaluate", [...model, "--beam", "2", "--out", "scores", "--json"], options);
    assert.equal(evaluated.code, 0, evaluated.stderr);
    const report = JSON.parse(evaluated.stdout);
    assert.equal(report.images, 3);
    for (const name of ["Bleu_1", "Bleu_4", "ROUGE_L", "CIDEr", "distinctFraction", "novelFraction"]) {
      assert(report[name] >= 0 && report[name] <= 10, name);
    }
    assert(report.perplexity > 1 && report.perplexity < 100);
    assert.equal(report.perImage, undefined);
    const again = await runTask("evaluate", [
      "--predictions",
      "scores/predictions.json",
      "--references",
      "scores/references.json",
      "--json",
      "--per-image",
    ], options);
    assertDone(again);
    const { perImage, Bleu_1, CIDEr } = JSON.parse(again.stdout);
    assert.deepEqual([Bleu_1, CIDEr], [report.Bleu_1, report.CIDEr]);
    const kept = JSON.parse(await Deno.readTextFile(join(folder.path, "scores", "scores.json")));
    assert.deepEqual(kept.perImage, perImage);
    const whole = await runTask("evaluate", [...model, "--split", "all"], options);
    assert.match(whole.stdout, /^images +24$/m);
    assert.match(whole.stdout, /^CIDEr +\d\.\d{4}$/m);
  },
});

Deno.test({
  name: "evaluate scores files of captions, and warns about a caption without words",
  ignore,
  async fn() {
    const predictions = [...CAPTIONS, { image_id: "x", caption: "..." }];
    await using folder = await makeFolder({
      "p.json": JSON.stringify(predictions),
      "r.json": JSON.stringify({ ...REFERENCES, x: ["a hill"] }),
    });
    const files = ["--predictions", "p.json", "--references", "r.json"];
    const scored = await runTask("evaluate", files, { folder: folder.path });
    assertDone(scored);
    assert.match(scored.stdout, /^BLEU-1 +0\.\d{4}$/m);
    assert.match(scored.stdout, /^Warning: 1 captions have no word, the first is for 'x'$/m);
    assert.doesNotMatch(scored.stdout, /METEOR/);
  },
});

Deno.test({
  name: "evaluate refuses files that do not match in one line",
  ignore,
  async fn() {
    await using folder = await makeFolder({
      "p.json": JSON.stringify(CAPTIONS),
      "r.json": JSON.stringify({ 1: ["a"], 3: ["b"] }),
    });
    const options = { folder: folder.path };
    const files = ["--predictions", "p.json", "--references"];
    assertRefused(await runTask("evaluate", [...files, "r.json"], options), /no references of '2'/);
    assertRefused(await runTask("evaluate", [...files, "gone.json"], options), /gone\.json/);
    assertRefused(await runTask("evaluate", ["--checkpoint", "gone", "--data", "gone"], options), /gone/);
    assertRefused(await runTask("evaluate", [], options), /give --data|--checkpoint/);
  },
});
