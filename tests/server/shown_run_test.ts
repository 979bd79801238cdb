import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../src/input_error.ts";
import { Problem } from "../../src/server/problem.ts";
import { openRun } from "../../src/server/shown_run.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";

const ignore = !canRead || !canWrite;
const CONFIG = JSON.stringify({ recipe: { epochs: 2 } });
const notNow = (error: unknown) =>
  error instanceof Problem && error.status === 503 && /has not begun/.test(error.message);

Deno.test({
  name: "openRun() waits for a run that has not begun, and shows its epochs as they are written",
  ignore,
  async fn() {
    await using folder = await makeFolder({});
    const path = join(folder.path, "first");
    const warnings: string[] = [];
    const run = await openRun(path, (line) => warnings.push(line));
    assert.match(warnings.join(), /^There is no run in '.*first' yet; the page shows it once/);
    assert.equal(run.name, "first");
    await assert.rejects(run.read(), notNow);
    await assert.rejects(run.report(), notNow);
    await Deno.mkdir(path);
    await Deno.writeTextFile(join(path, "config.json"), CONFIG);
    assert.deepEqual(await run.read(), { name: "first", settings: { epochs: "2" }, epochs: [] });
    await Deno.writeTextFile(join(path, "metrics.jsonl"), '{"epoch":1,"trainLoss":2}\n');
    assert.equal((await run.read()).epochs.length, 1);
    await Deno.remove(path, { recursive: true });
    await assert.rejects(run.read(), notNow);
  },
});

Deno.test({
  name: "openRun() refuses what is not a run: another file, another folder, another config.json",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "config.json": "{}", "photos/a.txt": "" });
    for (const path of ["", "photos", "photos/a.txt"]) {
      await assert.rejects(openRun(join(folder.path, path), (line) => assert.fail(line)), InputError, path);
    }
  },
});
