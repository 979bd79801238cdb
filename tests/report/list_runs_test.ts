import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeRuns } from "../../src/cli/run_list.ts";
import { listRuns } from "../../src/report/list_runs.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";

const SMALL_CAPTIONER = fileURLToPath(new URL("../golden/checkpoint/captioner.safetensors", import.meta.url));

Deno.test({
  name: "listRuns() lists runs, the newest first, and names those that cannot be read",
  ignore: !(canRead && canWrite),
  async fn() {
    const model = await Deno.readFile(SMALL_CAPTIONER);
    const config = JSON.stringify({ recipe: { name: "lrcn", encoder: "resnet18", epochs: 16 } });
    const epochs = [1, 2, 3].map((epoch) => `{"epoch":${epoch}}\n`).join("");
    await using folder = await makeFolder({
      "old/config.json": config,
      "old/best.safetensors": model,
      "old/metrics.jsonl": epochs,
      "new/config.json": config,
      "damaged/config.json": config,
      "damaged/best.safetensors": "no model",
      "notes/a.txt": "",
    });
    for (const [run, time] of [["old", 1e9], ["new", 1.1e9], ["damaged", 1.2e9]] as const) {
      await Deno.utime(join(folder.path, run, "config.json"), time, time);
    }
    const { runs, problems } = await listRuns(folder.path);
    const common = { recipe: "lrcn", encoder: "resnet18", maxEpochs: 16 };
    assert.deepEqual(runs, [
      { ...common, name: "new", started: new Date(1.1e12), epochs: 0, best: null, bytes: config.length },
      {
        ...{ ...common, name: "old", started: new Date(1e12), epochs: 3, best: { epoch: 8, cider: null } },
        bytes: config.length + model.length + epochs.length,
      },
    ]);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", /damaged/);
  },
});

Deno.test("describeRuns() is a table of date, name, encoder, epochs, CIDEr and size", () => {
  const run = { recipe: "lrcn", encoder: "resnet50", epochs: 3, maxEpochs: 16, bytes: 298e6 };
  assert.deepEqual(
    describeRuns([
      { ...run, name: "first\u001b", started: new Date(2026, 2, 5, 7, 8), best: { epoch: 2, cider: 0.5649 } },
      { ...run, name: "b", started: new Date(2026, 2, 4, 17, 0), epochs: 0, best: null },
    ]),
    [
      "date              name         encoder   epochs  CIDEr  size",
      "2026-03-05 07:08  first\\u001b  resnet50  3/16    0.565  298 MB",
      "2026-03-04 17:00  b            resnet50  0/16    -      298 MB",
    ],
  );
});
