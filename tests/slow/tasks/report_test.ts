import assert from "node:assert/strict";
import { join } from "node:path";
import { drawDataset, TINY } from "../../support/draw_dataset.ts";
import { assertDone, assertRefused, canRunTasks, runTask } from "../../support/run_task.ts";

Deno.test({
  name: "train writes a report with images, and report compares runs",
  ignore: !canRunTasks,
  async fn() {
    await using folder = await drawDataset();
    const options = { folder: folder.path };
    for (const run of ["a", "b"]) {
      const trained = await runTask("train", ["--data", "drawn", "--out", run, ...TINY, "--epochs", "2"], options);
      assertDone(trained);
      assert.match(trained.stdout, /^validation loss +[▁-█]{2} {2}\d+\.\d{3} to \d+\.\d{3}$/m);
    }
    const gallery = JSON.parse(await Deno.readTextFile(join(folder.path, "a", "gallery.json")));
    assert.equal(gallery.length, 2);
    for (const { image, caption, references, best } of gallery) {
      assert.match(image, /^data:image\/png;base64,/);
      assert.deepEqual([best.length, best[0].caption, references.length], [3, caption, 2]);
    }
    const page = await Deno.readTextFile(join(folder.path, "a", "report.html"));
    assert(page.includes(gallery[0].image));

    const alone = await runTask("report", ["a"], options);
    assertDone(alone);
    assert.equal(await Deno.readTextFile(join(folder.path, "a", "report.html")), page);
    const both = await runTask("report", ["a", "b", "--out", "both.html"], options);
    assertDone(both);
    assert.equal(both.stdout.trim(), join(folder.path, "both.html"));
    assert.match(await Deno.readTextFile(join(folder.path, "both.html")), /<title>2 runs/);
    assertRefused(await runTask("report", ["drawn"], options), /config\.json/);
    assertRefused(await runTask("report", ["a", "--out", "gone/report.html"], options), /gone/);
  },
});
