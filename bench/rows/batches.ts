/**
 * Fine-tuning by the lrcn recipe in batches of several sizes, as on a GPU.
 *
 * @module
 */

import { type BenchContext, beside, type OurTraining, ourTraining, theirTraining } from "../context.ts";
import type { TrainingAnswer } from "../context.ts";
import { alone, figures, inTurns } from "../rounds.ts";
import { makeRow, median, type Row } from "../table.ts";

const SIZES = [16, 64, 256];
/** Flickr8k's training images. */
const EPOCH = 6000;
/** Of an image. */
const CAPTIONS = 5;

/** Images/s beside PyTorch with the same settings, the time of an epoch, and how long steps wait for images. */
export async function* batchRows(context: BenchContext): AsyncGenerator<Row> {
  const { python, quick, rounds } = context;
  const precision = context.precisions.at(-1) ?? "fp32";
  for (const batchSize of quick ? SIZES.slice(0, 1) : SIZES) {
    const name = `lrcn recipe, CNN fine-tuned, batch ${batchSize}, ${precision}`;
    const base = { recipe: "lrcn", precision, batchSize } as const;
    const tuned = { ...base, layout: "channels_last", fused: true } as const;
    for (const compile of quick || python === undefined ? [false] : [false, true]) {
      const theirs = theirTraining(context, { ...tuned, compile }, base);
      const { answers } = await inTurns(ourTraining(context, base), theirs, rounds);
      const pytorch = `PyTorch channels_last with fused AdamW${compile ? " and torch.compile" : ""}`;
      const row = beside(context, name, pytorch, { least: 1 });
      const rate = ({ captions, seconds }: Pick<TrainingAnswer, "captions" | "seconds">) =>
        captions / CAPTIONS / seconds;
      yield makeRow([row.name, "images/s"], figures(answers, rate), row.bar);
    }
    yield* epoch(name, base);
    const blank = ourTraining(context, { ...base, blank: true });
    const read = await inTurns(ourTraining(context, base), blank, rounds);
    const rates = figures(read.answers, imagesPerSecond);
    const waits = rates.map(([reads, blank = NaN]) => [100 * (1 - reads / blank)] as const);
    yield makeRow([`${name}: time lost to reading images`, "%"], waits);
  }
  yield* epoch(`lrcn recipe, CNN frozen, features cached, ${precision}`, { recipe: "lrcn", frozen: true, precision });

  async function* epoch(name: string, training: OurTraining): AsyncGenerator<Row> {
    const rates = (await alone(ourTraining(context, training), rounds)).map(imagesPerSecond);
    const seconds = EPOCH / median(rates);
    yield makeRow([`${name}: epoch of ${EPOCH} images with ${CAPTIONS * EPOCH} captions, from that speed`, "s"], [
      [seconds],
    ]);
  }
}

function imagesPerSecond({ images, seconds }: TrainingAnswer): number {
  return images / seconds;
}
