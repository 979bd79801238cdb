/**
 * `deno task train`: trains a captioner.
 *
 * @module
 */

import { createCommand, EXIT_INTERRUPTED, runTask, userPath } from "../src/cli/command.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { addTrainOptions, parseTrainOptions } from "../src/cli/train_options.ts";
import { finishSample } from "../src/cli/sample_report.ts";
import { TrainingReporter } from "../src/cli/training_reporter.ts";
import { readSource } from "../src/pipeline/file_source.ts";
import { drawSample } from "../src/pipeline/sample_source.ts";
import { runTraining } from "../src/pipeline/training_run.ts";
import { fileURLToPath } from "node:url";

const CACHE = fileURLToPath(new URL("../.cache/images", import.meta.url));

async function main(): Promise<number> {
  const command = addTrainOptions(createCommand("train", "Trains a captioner; without --data, on drawn scenes."));
  command.parse(Deno.args, { from: "user" });
  const options = parseTrainOptions(command.opts(), { now: new Date(), path: userPath });
  const { recipe, out, seed, dataset } = options;

  using interrupts = listenToInterrupts();
  using reporter = new TrainingReporter({
    epochs: recipe.epochs,
    terminal: Deno.stderr.isTerminal(),
    print: console.log,
    now: () => performance.now(),
  });
  const run = { ...options, reporter, signal: interrupts.signal };
  if (dataset !== undefined) {
    const source = await readSource({ ...dataset, seed, cacheFolder: CACHE });
    const { reason, best } = await runTraining(source, run);
    if (best !== undefined) {
      reporter.note(`Caption a photograph with: deno task caption --checkpoint ${best} photo.jpg`);
    }
    return reason === "interrupted" ? EXIT_INTERRUPTED : 0;
  }
  const start = performance.now();
  const progress = (done: number, total: number) => reporter.progress("Drawing scenes", done, total);
  const source = await drawSample(seed, progress, interrupts.signal);
  const { reason, best } = await runTraining(source, run);
  if (reason === "interrupted" || best === undefined) return EXIT_INTERRUPTED;
  const trainingSeconds = (performance.now() - start) / 1000;
  await finishSample(source.heldOut, { out, checkpoint: best, trainingSeconds, reporter });
  return 0;
}

Deno.exit(await runTask(main));
