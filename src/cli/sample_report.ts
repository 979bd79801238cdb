import type { TrainingReporter } from "../pipeline/training_reporter.ts";
import { join } from "node:path";
import type { EngineOptions } from "../ffi/settings.ts";
import { captionHeldOut, scoreHeldOut } from "../sample/sample_result.ts";
import type { Scene } from "../sample/scenes.ts";
import { RunFolder } from "../pipeline/run_folder.ts";

const SHOWN = 8;

/** Options of {@linkcode finishSample}. */
export interface FinishSampleOptions extends EngineOptions {
  /** Folder of the run. */
  readonly out: string;
  readonly checkpoint: string;
  readonly trainingSeconds: number;
  readonly reporter: TrainingReporter;
  readonly signal: AbortSignal;
}

/** Captions the held-out scenes, writes `result.json`, and prints some captions with their references. */
export async function finishSample(heldOut: readonly Scene[], options: FinishSampleOptions): Promise<void> {
  const { out, checkpoint, trainingSeconds, reporter } = options;
  const captions = await captionHeldOut(heldOut, {
    ...options,
    onProgress: (done, total) => reporter.progress("Captioning held-out scenes", done, total),
  });
  const result = scoreHeldOut(captions, trainingSeconds);
  await new RunFolder(out).writeText("result", `${JSON.stringify(result, null, 2)}\n`);

  reporter.note("\nHeld-out scenes:");
  for (const { image, references, caption } of captions.slice(0, SHOWN)) {
    const exact = references.includes(caption);
    reporter.note(`  ${image}  ${caption}${exact ? "" : `   (reference: ${references[0]})`}`);
  }
  const { bestSingleCaptionFraction, shuffledFraction, exactFraction, bleu4, cider } = result;
  const percent = (fraction: number) => `${Math.round(100 * fraction)}%`;
  reporter.note(
    `For comparison: the best single caption is exact for ${percent(bestSingleCaptionFraction)}, ` +
      `these captions on shuffled scenes for ${percent(shuffledFraction)}`,
  );
  reporter.note("\nCaption one of them with:");
  reporter.note(`  deno task caption --checkpoint ${checkpoint} ${join(out, captions[0]?.image ?? "")}`);
  reporter.note("Train on your own images (a folder with captions.txt and Images/) with:");
  reporter.note("  deno task train --data path/to/folder\n");
  reporter.note(
    `${percent(exactFraction)} of ${captions.length} held-out scenes captioned exactly; ` +
      `BLEU-4 ${bleu4.toFixed(3)}, CIDEr ${cider.toFixed(2)}`,
  );
}
