/**
 * `deno task train`: trains a captioner.
 *
 * @module
 */

import { EXIT_INTERRUPTED, runTask, userPath } from "../src/cli/command.ts";
import { trainCommand } from "../src/cli/commands/train.ts";
import { chooseEncoderWeights } from "../src/cli/encoder_weights_choice.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { parseQuietOption } from "../src/cli/quiet_option.ts";
import { finishSample } from "../src/cli/sample_report.ts";
import { terminalReporter } from "../src/cli/terminal_reporter.ts";
import { parseTrainOptions } from "../src/cli/train_options.ts";
import { readSource } from "../src/pipeline/file_source.ts";
import { drawSample } from "../src/pipeline/sample/sample_source.ts";
import { runTraining } from "../src/pipeline/training_run.ts";
import { join } from "node:path";

async function main(): Promise<number> {
  const command = trainCommand();
  command.parse(Deno.args, { from: "user" });
  const options = await parseTrainOptions(command.opts(), { now: new Date(), path: userPath });
  const { seed, dataset, cache } = options;
  const quiet = parseQuietOption(command.opts());

  using interrupts = listenToInterrupts();
  const { signal } = interrupts;
  const { epochs, objective } = options.recipe(false);
  const print = quiet ? console.error : console.log;
  using reporter = terminalReporter({ epochs, rewards: objective === "self-critical", quiet, print });
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
  if (quiet) console.log(best);
  else if (drawn === undefined) {
    reporter.note(`Caption a photograph with: deno task caption --checkpoint ${best} photo.jpg`);
  } else {
    const trainingSeconds = (performance.now() - start) / 1000;
    await finishSample(drawn.heldOut, { ...options, checkpoint: best, trainingSeconds, reporter, signal });
  }
  return 0;
}

Deno.exit(await runTask(main));
