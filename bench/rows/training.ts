/**
 * Training steps.
 *
 * @module
 */

import type { BenchContext, Precision, TheirTraining, TrainingAnswer } from "../context.ts";
import { beside, matrixProduct, ourTraining, ourValidation, theirTraining } from "../context.ts";
import { alone, figures, inTurns } from "../rounds.ts";
import { type Bar, makeRow, median, type Row } from "../table.ts";

/** A batch of the notebook. */
const BATCH = 16;
/** The learning of Flickr8k: 6,000 images in an epoch, 1,000 in its validation. */
const TRAINING_IMAGES_OF_A_VALIDATION_IMAGE = 6;
/** Operations of ResNet-50 forward and backward for one image of 224 pixels. */
const CNN_FLOP = 24.6e9;

const EAGER = { layout: "contiguous", fused: false } as const satisfies Partial<TheirTraining>;
const TUNED = { layout: "channels_last", fused: true } as const satisfies Partial<TheirTraining>;

/** The notebook's arithmetic at its batch of 16 and 224 pixels, whose images PyTorch has at hand. */
export async function* notebookRows(context: BenchContext): AsyncGenerator<Row> {
  const { python, quick, jemalloc } = context;
  for (const precision of context.precisions) {
    const name = `notebook recipe, batch ${BATCH}, 224 pixels, ${precision}`;
    const bars = precision === "fp32" ? { eager: 1.3, tuned: 1.15 } : { eager: 2.3, tuned: 1 };
    yield* steps(name, precision, {
      pytorch: "the notebook in PyTorch eager, fp32",
      theirs: { ...EAGER, precision: "fp32" },
      bar: { least: bars.eager },
      memory: precision === "fp32",
    });
    // PyTorch alone has several forms.
    if (quick || python === undefined) continue;
    const tuned = { ...TUNED, precision };
    yield* steps(name, precision, {
      pytorch: "channels_last with fused Adam",
      theirs: tuned,
      bar: { least: bars.tuned },
    });
    yield* steps(name, precision, {
      pytorch: "the same with torch.compile",
      theirs: { ...tuned, compile: true },
      bar: { least: bars.tuned },
    });
    if (jemalloc === undefined) continue;
    yield* steps(name, precision, {
      pytorch: "channels_last with fused Adam and jemalloc",
      theirs: { ...tuned, jemalloc: true },
      bar: { least: 1 },
    });
  }

  async function* steps(
    name: string,
    precision: Precision,
    form: { pytorch: string; theirs: TheirTraining; bar: Bar; memory?: boolean },
  ): AsyncGenerator<Row> {
    const training = { recipe: "notebook", precision } as const;
    const theirs = theirTraining(context, form.theirs, training);
    const { answers, peaks } = await inTurns(ourTraining(context, training), theirs, context.rounds);
    const row = beside(context, name, form.pytorch, form.bar);
    yield makeRow([row.name, "steps/s"], figures<Speed>(answers, (answer) => speed(answer) / BATCH), row.bar);
    if (form.memory && !peaks.some(Number.isNaN)) {
      const { bar } = beside(context, "", "", { most: 0.8 });
      yield makeRow(["peak memory of that training", "GB"], figures([peaks], (bytes) => bytes / 1e9), bar);
    }
  }
}

/** The lrcn recipe, and what of a step is not libtorch's. */
export async function* lrcnRows(context: BenchContext): AsyncGenerator<Row> {
  const { python, device, precisions, rounds } = context;
  const loop = { ...EAGER, precision: "fp32", reads: true } as const;
  for (const precision of precisions) {
    const training = { recipe: "lrcn", precision } as const;
    const { answers } = await inTurns(ourTraining(context, training), theirTraining(context, loop, training), rounds);
    const name = `lrcn recipe, CNN fine-tuned, ${precision}`;
    const row = beside(context, name, "the notebook's loop on the same images", {
      least: precision === "fp32" ? 6 : 10,
    });
    yield makeRow([row.name, "captions/s"], figures<Speed>(answers, speed), row.bar);
    const ours = answers.map(([answer]) => answer);
    yield makeRow([`${name}: time of a step outside the library`, "%"], ours.map((answer) => [outside(answer)]), {
      most: 1,
    });
    yield makeRow([`${name}: longest time that the event loop is held`, "ms"], ours.map(({ held }) => [1000 * held]), {
      most: 20,
    });
    yield* validationShare(name, training, ours);
    if (python === undefined) continue;
    const product = matrixProduct(python, precision, device);
    const peak = await inTurns(ourTraining(context, training), product, rounds);
    const shares = peak.answers.map(([answer, { flops } = { flops: NaN }]) =>
      [operations(answer) / answer.seconds / 1e9, flops / 1e9] as const
    );
    yield makeRow([`${name}, against a matrix product`, "GFLOP/s"], shares, {
      least: precision === "fp32" ? 0.85 : 0.7,
    });
  }
  const precision = precisions.at(-1) ?? "fp32";
  const frozen = { recipe: "lrcn", frozen: true, precision } as const;
  const { answers } = await inTurns(ourTraining(context, frozen), theirTraining(context, loop, frozen), rounds);
  const name = `lrcn recipe, CNN frozen, features cached, ${precision}`;
  const row = beside(context, name, "the same", { least: 60 });
  yield makeRow([row.name, "captions/s"], figures<Speed>(answers, speed), row.bar);
  yield* validationShare(name, frozen, answers.map(([answer]) => answer));

  async function* validationShare(
    name: string,
    training: Parameters<typeof ourValidation>[1],
    trained: readonly TrainingAnswer[],
  ): AsyncGenerator<Row> {
    const perImage = median(trained.map(({ seconds, images }) => seconds / images));
    const validations = await alone(ourValidation(context, training), rounds);
    const shares = validations.map(({ seconds, images }) => {
      const validation = seconds / images;
      return 100 * validation / (validation + TRAINING_IMAGES_OF_A_VALIDATION_IMAGE * perImage);
    });
    yield makeRow([`${name}: validation with captions, of an epoch`, "%"], shares.map((share) => [share]), {
      most: 15,
    });
  }
}

interface Speed {
  readonly captions: number;
  readonly seconds: number;
}

function speed({ captions, seconds }: Speed): number {
  return captions / seconds;
}

/** Share of a step, in %, in which the library does not compute: TypeScript, waiting for data, and the call itself. */
function outside({ seconds, native, call, images }: TrainingAnswer): number {
  return 100 * (seconds - native + call * images / BATCH) / seconds;
}

/** Floating-point operations of training: the CNN's and the decoder's (LSTM of 512 on 1024, vocabulary of 3,000). */
function operations({ images, words }: TrainingAnswer): number {
  const [hidden, input, vocabulary] = [512, 1024, 3000];
  const ofWord = 2 * 4 * hidden * (hidden + input) + 2 * hidden * vocabulary;
  return images * CNN_FLOP + words * 3 * ofWord;
}
