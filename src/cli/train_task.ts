/**
 * What `deno task train` does, in each of its processes.
 *
 * @module
 */

import { join } from "node:path";
import { broadcastObject } from "../distributed/collectives.ts";
import type { TrainingGroup } from "../distributed/process_group.ts";
import { refuseFrozenRandomEncoder } from "../pipeline/dry_run.ts";
import { readSource } from "../pipeline/file_source.ts";
import { RunFolder } from "../pipeline/run_folder.ts";
import { drawSample } from "../sample/sample_source.ts";
import { runTraining } from "../pipeline/training_run.ts";
import { EXIT_INTERRUPTED, userPath } from "./command.ts";
import { chooseEncoderWeights } from "../pipeline/encoder_weights_choice.ts";
import { listenToInterrupts } from "./interrupt.ts";
import { parseQuietOption } from "./quiet_option.ts";
import { finishSample } from "./sample_report.ts";
import { terminalReporter } from "./terminal_reporter.ts";
import { parseTrainOptions } from "./train_options.ts";

/**
 * Trains as the options say, and tells of it.
 *
 * @param given What commander parsed.
 * @param ranks The processes that train together; the first alone tells of it.
 * @returns The exit code.
 * @throws {InputError} If options, data or device cannot be used.
 */
export async function trainTask(given: Readonly<Record<string, unknown>>, group: TrainingGroup): Promise<number> {
  const isFirst = group.rank === 0;
  const parsed = await parseTrainOptions(await afterRestart(given, group), { now: new Date(), path: userPath });
  // Its name has the time.
  const options = { ...parsed, out: await broadcastObject(group, () => Promise.resolve(parsed.out)) };
  const { seed, dataset, cache } = options;
  const quiet = parseQuietOption(given);

  using interrupts = listenToInterrupts(isFirst ? undefined : null);
  const { signal } = interrupts;
  const { epochs, objective } = options.recipe(false);
  const print = !isFirst ? () => {} : quiet ? console.error : console.log;
  using reporter = terminalReporter({
    epochs,
    rewards: objective === "self-critical",
    quiet: quiet || !isFirst,
    print,
  });
  const start = performance.now();
  const drawn = dataset === null
    ? await drawSample(seed, (done, total) => reporter.progress("Drawing scenes", done, total), signal)
    : undefined;
  const source = drawn ??
    await readSource({ ...dataset, seed, cacheFolder: join(cache, "images"), keepImages: options.keepImages });
  const encoderWeights = await broadcastObject(group, () =>
    chooseEncoderWeights(options.encoderWeights, {
      ...{ folder: join(cache, "weights"), recipe: options.recipe(false), reporter, signal },
    }));
  const recipe = options.recipe(encoderWeights !== undefined);
  if (!options.resume) refuseFrozenRandomEncoder(recipe, (encoderWeights ?? options.initialWeights) !== undefined);
  for (const line of options.warnings(recipe)) reporter.note(line);
  const { reason, best } = await runTraining(source, {
    ...options,
    ...{ recipe, encoderWeights, reporter, signal, group },
    featuresFolder: join(cache, "features"),
  });
  if (isFirst) reporter.summary(join(options.out, "report.html"));
  if (reason === "interrupted") return EXIT_INTERRUPTED;
  if (best === undefined || !isFirst) return 0;
  if (quiet) console.log(best);
  else if (drawn === undefined) {
    reporter.note(`Caption an image with: deno task caption --checkpoint ${best} photo.jpg`);
  } else {
    const trainingSeconds = (performance.now() - start) / 1000;
    await finishSample(drawn.heldOut, { ...options, checkpoint: best, trainingSeconds, reporter, signal });
  }
  return 0;
}

/** What a run that is gone on with may be told; the rest it keeps itself. */
const KEPT = [
  ...["data", "captions", "images", "splits", "cache", "imageCache", "checkpointEvery", "cudaGraphs"],
  ...["device", "precision", "threads", "quiet"],
];

/** Where torchrun starts the processes again, after one has died, the run that `--out` names goes on. */
async function afterRestart(
  given: Readonly<Record<string, unknown>>,
  group: TrainingGroup,
): Promise<Readonly<Record<string, unknown>>> {
  const { out, resume } = given;
  if (!group.restarted || typeof out !== "string" || resume !== undefined) return given;
  const begun = await broadcastObject(group, () => new RunFolder(userPath(out)).hasBegun());
  if (!begun) return given;
  return { ...Object.fromEntries(Object.entries(given).filter(([name]) => KEPT.includes(name))), resume: out };
}
