/**
 * The end of a training on drawn scenes.
 *
 * @module
 */

import type { TrainingReporter } from "../pipeline/training_run.ts";
import { join } from "node:path";
import type { EngineOptions } from "../ffi/settings.ts";
import { captionHeldOut, scoreHeldOut } from "../sample/sample_result.ts";
import type { Scene } from "../sample/scenes.ts";
import { RunFolder } from "../pipeline/run_folder.ts";

const SHOWN = 8;

/** What {@linkcode finishSample} needs to know. */
export interface FinishSampleOptions extends EngineOptions {
  /** The run's folder. */
  readonly out: string;
  /** The checkpoint. */
  readonly checkpoint: string;
  /** Seconds that training took. */
  readonly trainingSeconds: number;
  /** Where it tells what it finds. */
  readonly reporter: TrainingReporter;
  /** Ends the captioning. */
  readonly signal: AbortSignal;
}

/**
 * Captions the pictures that training never saw, writes `result.json`, and shows some captions beside what is right.
 *
 * @param heldOut The pictures.
 * @param options See {@linkcode FinishSampleOptions}.
 */
export async function finishSample(heldOut: readonly Scene[], options: FinishSampleOptions): Promise<void> {
  const { out, checkpoint, trainingSeconds, reporter } = options;
  const captions = await captionHeldOut(heldOut, {
    ...options,
    onProgress: (done, total) => reporter.progress("Captioning unseen pictures", done, total),
  });
  const result = scoreHeldOut(captions, trainingSeconds);
  await new RunFolder(out).writeText("result", `${JSON.stringify(result, null, 2)}\n`);

  reporter.note("\nPictures it has never seen:");
  for (const { image, references, caption } of captions.slice(0, SHOWN)) {
    const exact = references.includes(caption);
    reporter.note(`  ${image}  ${caption}${exact ? "" : `   (right would be: ${references[0]})`}`);
  }
  const { bestSingleCaptionFraction, shuffledFraction, exactFraction, bleu4, cider } = result;
  const percent = (share: number) => `${Math.round(100 * share)}%`;
  reporter.note(
    `The best single caption would be exact for ${
      percent(bestSingleCaptionFraction)
    }, these captions on shuffled pictures for ${percent(shuffledFraction)}`,
  );
  reporter.note("\nCaption one of them with:");
  reporter.note(`  deno task caption --checkpoint ${checkpoint} ${join(out, captions[0]?.image ?? "")}`);
  reporter.note("Train on your own images (a folder with captions.txt and Images/) with:");
  reporter.note("  deno task train --data path/to/folder\n");
  reporter.note(
    `${percent(exactFraction)} of ${captions.length} unseen pictures captioned exactly; BLEU-4 ${
      bleu4.toFixed(3)
    }, CIDEr ${cider.toFixed(2)}`,
  );
}
