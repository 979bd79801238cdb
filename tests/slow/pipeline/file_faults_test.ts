import assert from "node:assert/strict";
import { join } from "node:path";
import { fileDigest } from "../../../src/files/file_digest.ts";
import { InputError } from "../../../src/input_error.ts";
import { makeRecipe } from "../../../src/pipeline/recipe.ts";
import { runTraining, type TrainingRunOptions } from "../../../src/pipeline/run.ts";
import { NEEDS_FILES, temporaryFolder } from "../../support/checkpoint_folder.ts";
import { drawnSource, TINY_RECIPE } from "../../support/drawn_data.ts";
import { failEachOperation, FAULT_REASONS } from "../../support/file_faults.ts";
import { nativeTest } from "../../support/native_test_case.ts";
import { silentReporter } from "../../support/silent_reporter.ts";

const FILES = [
  ...["best.safetensors", "config.json", "gallery.json", "last.safetensors", "metrics.jsonl", "notes.json"],
  ...["report.html", "steps.jsonl"],
];

function optionsOf(out: string): TrainingRunOptions & { readonly reporter: ReturnType<typeof silentReporter> } {
  return {
    recipe: makeRecipe("lrcn", { ...TINY_RECIPE, epochs: 2, batchSize: 8 }),
    out,
    seed: 3,
    device: "cpu",
    precision: "fp32",
    threads: 1,
    featuresFolder: join(out, "..", "features"),
    reporter: silentReporter(),
    signal: new AbortController().signal,
  };
}

const digests = (out: string) =>
  Promise.all(["last", "best"].map((name) => fileDigest(join(out, `${name}.safetensors`))));

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names;
}

nativeTest(
  "a training of which a file operation fails resumes to the bytes of one that was never disturbed",
  async () => {
    await using folder = await temporaryFolder();
    const whole = folder.file("whole");
    await runTraining(drawnSource(20), optionsOf(whole));
    const expected = await digests(whole);
    const out = folder.file("run");
    let reporter = silentReporter();

    const met = await failEachOperation({
      async prepare() {
        await Deno.remove(out, { recursive: true }).catch(() => {});
        reporter = silentReporter();
      },
      run: () => runTraining(drawnSource(20), { ...optionsOf(out), reporter }),
      async check({ error, code, open, failed }) {
        assert.deepEqual(open, []);
        const names = await namesIn(out);
        for (const name of names) assert(FILES.includes(name), `${name} is left`);
        assert(error === undefined || error instanceof InputError, `${error instanceof Error ? error.stack : error}`);
        // A network file system may have no locks.
        if (failed !== "file.tryLock") {
          const message = error?.message ?? reporter.notes.join("\n");
          assert.match(message, FAULT_REASONS[code]);
          assert(message.includes(out), message);
        }
        if (error !== undefined) {
          const resume = names.length > 0;
          if (resume) assert(names.includes("config.json"), `only ${names.join(", ")} is left`);
          await runTraining(drawnSource(20), { ...optionsOf(out), resume });
        }
        assert.deepEqual(await digests(out), expected);
      },
    }, "first of a kind");
    assert(met > 50, `${met} runs met a fault`);
  },
  NEEDS_FILES,
);
