import assert from "node:assert/strict";
import { InputError } from "../../src/input_error.ts";
import { readReportedRun } from "../../src/report/reported_run.ts";
import { NEEDS_FILES } from "../support/checkpoint_folder.ts";
import { makeFolder } from "../support/temporary_folder.ts";

const CONFIG = JSON.stringify({ recipe: { name: "lrcn", epochs: 3, patience: null }, seed: 7, initialWeights: null });

function fileTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: NEEDS_FILES.ignore, fn });
}

fileTest("readReportedRun() reads settings, epochs and gallery", async () => {
  const item = { name: "a", image: "data:image/png;base64,AA==", references: ["b"], caption: "c", cider: 1, best: [] };
  await using folder = await makeFolder({
    "config.json": CONFIG,
    "metrics.jsonl": `{"epoch":1,"trainLoss":3,"cider":0.5,"seconds":9}\n`,
    "gallery.json": JSON.stringify([item]),
  });
  const { settings, epochs, gallery } = await readReportedRun(folder.path);
  assert.deepEqual(settings, { name: "lrcn", epochs: "3", seed: "7" });
  assert.deepEqual(gallery, [item]);
  assert.deepEqual(
    epochs.map(({ epoch, trainLoss, cider, bleu4, validationSeconds }) => (
      { epoch, trainLoss, cider, bleu4, validationSeconds }
    )),
    [{ epoch: 1, trainLoss: 3, cider: 0.5, bleu4: null, validationSeconds: null }],
  );
});

fileTest(
  "readReportedRun() skips invalid lines and galleries, and reads invalid numbers as null",
  async () => {
    await using folder = await makeFolder({
      "config.json": CONFIG,
      "metrics.jsonl":
        `{"epoch":1,"trainLoss":null,"cider":"x"}\nnothing\n{"epoch":0}\n[]\n{"epoch":9007199254740991}\n{"epoch":2,"tr`,
      "gallery.json": `[{"name":"a","image":"javascript:alert(1)"}]`,
    });
    const { epochs, gallery } = await readReportedRun(folder.path);
    assert.deepEqual(epochs.map(({ epoch, trainLoss, cider }) => [epoch, trainLoss, cider]), [[1, null, null]]);
    assert.deepEqual(gallery, []);
  },
);

fileTest("readReportedRun() reads when it was started, what was printed, and means of its steps' losses", async () => {
  const notes = { started: "2026-03-05T07:08:09.000Z", lines: [{ line: "Data: ...", warning: false, epochs: 0 }] };
  const losses = (count: number) => Array.from({ length: count }, (_, index) => `{"loss":${index + 1}}\n`).join("");
  await using folder = await makeFolder({
    "a/config.json": CONFIG,
    "a/notes.json": JSON.stringify(notes),
    "a/steps.jsonl": `${losses(3)}{"loss`,
    "b/config.json": CONFIG,
    "b/notes.json": "{}",
    "b/steps.jsonl": losses(1001),
  });
  const { started, lines, steps } = await readReportedRun(`${folder.path}/a`);
  assert.deepEqual({ started, lines }, notes);
  assert.deepEqual(steps, [{ step: 1, loss: 1 }, { step: 2, loss: 2 }, { step: 3, loss: 3 }]);
  const long = await readReportedRun(`${folder.path}/b`);
  assert.deepEqual([long.started, long.lines], ["", []]);
  assert.deepEqual(long.steps.slice(0, 1), [{ step: 3, loss: 2 }]);
  assert.deepEqual([long.steps.length, long.steps.at(-1)], [334, { step: 1001, loss: 1000.5 }]);
});

fileTest("readReportedRun() reads a run that has no epoch yet", async () => {
  await using folder = await makeFolder({ "config.json": CONFIG });
  const { epochs, gallery } = await readReportedRun(folder.path);
  assert.deepEqual([epochs, gallery], [[], []]);
});

fileTest("readReportedRun() refuses a folder without a run, in one line that names it", async () => {
  await using folder = await makeFolder({ "bad/config.json": "{}", "other.txt": "" });
  for (
    const [path, reason] of [[`${folder.path}/gone`, /config\.json/], [
      `${folder.path}/bad`,
      /its config\.json is not a run's/,
    ]] as const
  ) {
    await assert.rejects(readReportedRun(path), (error) => {
      assert(error instanceof InputError && error.message.includes(path) && !error.message.includes("\n"));
      assert.match(error.message, reason);
      return true;
    });
  }
});
