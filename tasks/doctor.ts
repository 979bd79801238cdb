/**
 * `deno task doctor`: says what will go wrong in a training, before it does.
 *
 * @module
 */

import { createCommand, EXIT_INPUT, runTask, userPath } from "../src/cli/command.ts";
import { describeExamination } from "../src/cli/doctor_report.ts";
import { chooseLocalWeights } from "../src/cli/encoder_weights_choice.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { addTrainOptions, parseTrainOptions } from "../src/cli/train_options.ts";
import { TrainingReporter } from "../src/cli/training_reporter.ts";
import { InputError } from "../src/input_error.ts";
import { examine } from "../src/pipeline/doctor/examine.ts";
import { readSource } from "../src/pipeline/file_source.ts";
import { join } from "node:path";

async function main(): Promise<number> {
  const command = addTrainOptions(
    createCommand("doctor", "Examines a dataset as train would use it; it takes the options of train."),
  ).option("--json", "all that was found, for programs");
  command.parse(Deno.args, { from: "user" });
  const { json = false, ...given } = command.opts<{ json?: boolean; resume?: string }>();
  if (given.resume !== undefined) throw new InputError("Cannot examine a run: give --data, and leave --resume out");
  const options = await parseTrainOptions(given, { now: new Date(), path: userPath });
  const { dataset, seed, cache, keepImages } = options;
  if (dataset === null) throw new InputError("Cannot examine: no data are named; give --data PATH");

  using interrupts = listenToInterrupts();
  using reporter = new TrainingReporter({
    epochs: 0,
    terminal: Deno.stderr.isTerminal(),
    print: console.error,
    now: () => performance.now(),
  });
  const weights = await chooseLocalWeights(options.encoderWeights, {
    folder: join(cache, "weights"),
    recipe: options.recipe(false),
  });
  const recipe = options.recipe(weights.pretrained);
  const found = await examine({
    ...options,
    ...{ recipe, reporter, signal: interrupts.signal, encoderWeights: weights.file, now: () => performance.now() },
    openSource: () => readSource({ ...dataset, seed, cacheFolder: join(cache, "images"), keepImages }),
    memoryLeft: () => Deno.systemMemoryInfo().available,
  });
  const examination = { ...found, warnings: [...options.warnings(recipe), ...weights.notes, ...found.warnings] };
  if (json) console.log(JSON.stringify(examination, null, 2));
  else for (const line of describeExamination(examination)) console.log(line);
  return examination.errors.length === 0 ? 0 : EXIT_INPUT;
}

Deno.exit(await runTask(main));
