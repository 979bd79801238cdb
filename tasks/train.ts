/**
 * `deno task train`: trains a captioner.
 *
 * @module
 */

import { createCommand, EXIT_INTERRUPTED, runTask, userPath } from "../src/cli/command.ts";
import { chooseEncoderWeights } from "../src/cli/encoder_weights_choice.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { addTrainOptions, parseTrainOptions } from "../src/cli/train_options.ts";
import { finishSample } from "../src/cli/sample_report.ts";
import { TrainingReporter } from "../src/cli/training_reporter.ts";
import { readSource } from "../src/pipeline/file_source.ts";
import { drawSample } from "../src/pipeline/sample/sample_source.ts";
import { runTraining } from "../src/pipeline/training_run.ts";
import { join } from "node:path";

async function main(): Promise<number> {
  const command = addTrainOptions(createCommand("train", "Trains a captioner; without --data, on drawn scenes."));
  command.parse(Deno.args, { from: "user" });
  const options = await parseTrainOptions(command.opts(), { now: new Date(), path: userPath });
  const { seed, dataset, cache } = options;

  using interrupts = listenToInterrupts();
  const { signal } = interrupts;
  using reporter = new TrainingReporter({
    epochs: options.recipe(false).epochs,
    rewards: options.recipe(false).objective === "self-critical",
    terminal: Deno.stderr.isTerminal(),
    print: console.log,
    now: () => performance.now(),
  });
  const start = performance.now();
  const drawn = dataset === null
    ? await drawSample(seed, (done, total) => reporter.progress("Drawing scenes", done, total), signal)
    : undefined;
  const source = drawn ??
    await readSource({ ...dataset, seed, cacheFolder: join(cache, "images"), keepImages: options.keepImages });
  const encoderWeights = await chooseEncoderWeights(options.encoderWeights, {
    ...{ folder: join(cache, "weights"), recipe: options.recipe(false), reporter, signal },
  });
  const recipe = options.recipe(encoderWeights !== undefined);
  for (const line of options.warnings(recipe)) reporter.note(line);
  const { reason, best } = await runTraining(source, {
    ...options,
    ...{ recipe, encoderWeights, reporter, signal },
    featuresFolder: join(cache, "features"),
  });
  reporter.summary(join(options.out, "report.html"));
  if (reason === "interrupted") return EXIT_INTERRUPTED;
  if (best === undefined) return 0;
  if (drawn === undefined) {
    reporter.note(`Caption a photograph with: deno task caption --checkpoint ${best} photo.jpg`);
    return 0;
  }
  const trainingSeconds = (performance.now() - start) / 1000;
  await finishSample(drawn.heldOut, { ...options, checkpoint: best, trainingSeconds, reporter, signal });
  return 0;
}

Deno.exit(await runTask(main));
