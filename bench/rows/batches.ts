/**
 * Fine-tuning by the lrcn recipe in batches of several sizes, as on a GPU.
 *
 * @module
 */

import { type BenchContext, type OurTraining, ourTraining, theirTraining, type TrainingAnswer } from "../context.ts";
import { alone, inTurns } from "../rounds.ts";
import { makeRow, median, type Row } from "../table.ts";

const SIZES = [16, 64, 256];
/** Flickr8k's training images. */
const EPOCH = 6000;

/** Images/s beside PyTorch with the same settings, the time of an epoch, and how long steps wait for images. */
export async function* batchRows(context: BenchContext): AsyncGenerator<Row> {
  const { device, quick, rounds } = context;
  const precision = context.precisions.at(-1) ?? "fp32";
  for (const batchSize of quick ? SIZES.slice(0, 1) : SIZES) {
    const name = `lrcn recipe, CNN fine-tuned, batch ${batchSize}, ${precision}`;
    const base = { recipe: "lrcn", precision, batchSize } as const;
    const tuned = { ...base, layout: "channels_last", fused: true } as const;
    const forms = device === "cuda" ? { "": {}, ", steps recorded": { record: true } } : { "": {} };
    for (const [form, ours] of Object.entries(forms)) {
      for (const compile of quick ? [false] : [false, true]) {
        const { answers } = await inTurns(
          ourTraining(context, { ...base, ...ours }),
          theirTraining(context, { ...tuned, compile }),
          rounds,
        );
        const rates = answers.map(([a, b]) => [imagesPerSecond(a), b.captions / 5 / b.seconds] as const);
        const theirs = `PyTorch channels_last with fused AdamW${compile ? " and torch.compile" : ""}`;
        yield makeRow([`${name}${form}, against ${theirs}`, "images/s"], rates, { least: 1 });
      }
      yield* epoch(`${name}${form}`, { ...base, ...ours });
      const read = await inTurns(
        ourTraining(context, { ...base, ...ours }),
        ourTraining(context, { ...base, ...ours, blank: true }),
        rounds,
      );
      const waits = read.answers.map(([a, b]) => [100 * (1 - imagesPerSecond(a) / imagesPerSecond(b))] as const);
      yield makeRow([`${name}${form}: time lost to reading images`, "%"], waits);
    }
  }
  yield* epoch(`lrcn recipe, CNN frozen, features cached, ${precision}`, { recipe: "lrcn", frozen: true, precision });

  async function* epoch(name: string, training: OurTraining): AsyncGenerator<Row> {
    const rates = (await alone(ourTraining(context, training), rounds)).map(imagesPerSecond);
    const seconds = EPOCH / median(rates);
    yield makeRow([`${name}: epoch of ${EPOCH} images with ${5 * EPOCH} captions, from that speed`, "s"], [
      [seconds],
    ]);
  }
}

function imagesPerSecond({ examples, seconds }: TrainingAnswer): number {
  return examples / seconds;
}
