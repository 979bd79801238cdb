import { join } from "node:path";
import { broadcastObject } from "../distributed/collectives.ts";
import type { TrainingGroup } from "../distributed/process_group.ts";
import { refuseFrozenRandomEncoder } from "../pipeline/dry_run.ts";
import { readSource } from "../pipeline/file_source.ts";
import { RunFolder } from "../pipeline/run_folder.ts";
import { idleSettings } from "../pipeline/recipe.ts";
import { renderSample } from "../sample/sample_source.ts";
import { runTraining } from "../pipeline/run.ts";
import { EXIT_INTERRUPTED, parseQuietOption, userPath } from "./command.ts";
import { chooseEncoderWeights } from "../pipeline/encoder_weights_choice.ts";
import { listenToInterrupts } from "./interrupt.ts";
import { printLine, printNote, progressPrinter } from "./output.ts";
import { finishSample } from "./sample_report.ts";
import { terminalReporter } from "./terminal_reporter.ts";
import { parseTrainOptions } from "./train_options.ts";

/**
 * Runs `deno task train` in one process of the group, and returns the exit code. Only rank 0 prints.
 *
 * @throws {InputError} If options, data or device cannot be used.
 */
export async function trainTask(given: Readonly<Record<string, unknown>>, group: TrainingGroup): Promise<number> {
  const isFirst = group.rank === 0;
  const parsed = await parseTrainOptions(await afterRestart(given, group), { now: new Date(), path: userPath });
  // The default name contains the time, which differs between processes.
  const options = { ...parsed, out: await broadcastObject(group, () => Promise.resolve(parsed.out)) };
  const { seed, dataset, cache } = options;
  const quiet = parseQuietOption(given);

  using interrupts = listenToInterrupts(isFirst ? undefined : null);
  const { signal } = interrupts;
  const print = !isFirst ? () => {} : quiet ? printNote : progressPrinter();
  const output = { quiet: quiet || !isFirst, print };
  using preparation = terminalReporter(output);
  const start = performance.now();
  const sample = dataset === null
    ? await renderSample(seed, (done, total) => preparation.progress("Rendering scenes", done, total), signal)
    : undefined;
  const source = sample ??
    await readSource({ ...dataset, seed, cacheFolder: join(cache, "images"), keepImages: options.keepImages });
  const encoderWeights = await broadcastObject(group, () =>
    chooseEncoderWeights(options.encoderWeights, {
      folder: join(cache, "weights"),
      recipe: options.recipe,
      reporter: preparation,
      signal,
    }));
  const recipe = encoderWeights === undefined ? options.recipe : options.pretrainedRecipe;
  // The number of epochs depends on the weights.
  using reporter = terminalReporter({
    ...output,
    epochs: recipe.epochs,
    rewards: recipe.objective === "self-critical",
  });
  if (!options.resume) refuseFrozenRandomEncoder(recipe, (encoderWeights ?? options.initialWeights) !== undefined);
  for (const line of idleSettings(recipe, options.givenSettings)) reporter.warn(line);
  const { reason, best } = await runTraining(source, {
    ...options,
    recipe,
    encoderWeights,
    reporter,
    signal,
    group,
    featuresFolder: join(cache, "features"),
  });
  if (isFirst) reporter.summary(join(options.out, "report.html"));
  if (reason === "interrupted") return EXIT_INTERRUPTED;
  if (best === undefined || !isFirst) return 0;
  if (quiet) printLine(best);
  else if (sample === undefined) {
    reporter.note(`Caption an image with: deno task caption --checkpoint ${best} photo.jpg`);
  } else {
    const trainingSeconds = (performance.now() - start) / 1000;
    await finishSample(sample.heldOut, { ...options, checkpoint: best, trainingSeconds, reporter, signal });
  }
  return 0;
}

/** Options that may accompany --resume. */
const RESUME_OPTIONS: readonly string[] = [
  "data",
  "captions",
  "images",
  "splits",
  "cache",
  "imageCache",
  "checkpointEvery",
  "tensorboard",
  "device",
  "precision",
  "threads",
  "quiet",
];

/** If torchrun has restarted the processes because one died, resumes the run in `--out`. */
async function afterRestart(
  given: Readonly<Record<string, unknown>>,
  group: TrainingGroup,
): Promise<Readonly<Record<string, unknown>>> {
  const { out, resume } = given;
  if (!group.restarted || typeof out !== "string" || resume !== undefined) return given;
  const started = await broadcastObject(group, () => new RunFolder(userPath(out)).hasBegun());
  if (!started) return given;
  return {
    ...Object.fromEntries(Object.entries(given).filter(([name]) => RESUME_OPTIONS.includes(name))),
    resume: out,
  };
}
