/**
 * Training steps.
 *
 * @module
 */

import type { BenchContext, Precision, TheirTraining, TrainingAnswer } from "../context.ts";
import { matrixProduct, ourTraining, ourValidation, theirTraining } from "../context.ts";
import { alone, inTurns } from "../rounds.ts";
import { type Bar, makeRow, median, type Row } from "../table.ts";

/** A batch of the notebook. */
const BATCH = 16;
/** The learning of Flickr8k: 6,000 images in an epoch, 1,000 in its validation. */
const TRAIN_PHOTOGRAPHS_OF_A_VALIDATION_PHOTOGRAPH = 6;
/** Operations of ResNet-50 forward and backward for one image of 224 pixels. */
const CNN_FLOP = 24.6e9;

const EAGER = { layout: "contiguous", fused: false } as const satisfies Partial<TheirTraining>;
const TUNED = { layout: "channels_last", fused: true } as const satisfies Partial<TheirTraining>;

/** The notebook's arithmetic at its batch of 16 and 224 pixels, whose images PyTorch has at hand. */
export async function* notebookRows(context: BenchContext): AsyncGenerator<Row> {
  const { quick, jemalloc } = context;
  for (const precision of context.precisions) {
    const name = `notebook recipe, batch ${BATCH}, 224 pixels, ${precision}`;
    const bars = precision === "fp32" ? { eager: 1.3, tuned: 1.15 } : { eager: 2.3, tuned: 1 };
    yield* steps(`${name}, against the notebook in PyTorch eager, fp32`, precision, {
      theirs: { ...EAGER, precision: "fp32" },
      bar: { least: bars.eager },
      memory: precision === "fp32",
    });
    if (quick) continue;
    const tuned = { ...TUNED, precision };
    yield* steps(`${name}, against channels_last with fused Adam`, precision, {
      theirs: tuned,
      bar: { least: bars.tuned },
    });
    yield* steps(`${name}, against the same with torch.compile`, precision, {
      theirs: { ...tuned, compile: true },
      bar: { least: bars.tuned },
    });
    if (jemalloc === undefined) continue;
    yield* steps(`${name}, against channels_last with fused Adam and jemalloc`, precision, {
      theirs: { ...tuned, jemalloc: true },
      bar: { least: 1 },
    });
  }

  async function* steps(
    name: string,
    precision: Precision,
    { theirs, bar, memory = false }: { theirs: TheirTraining; bar: Bar; memory?: boolean },
  ): AsyncGenerator<Row> {
    const ours = ourTraining(context, { recipe: "notebook", precision });
    const { answers, peaks } = await inTurns(ours, theirTraining(context, theirs), context.rounds);
    const speeds = answers.map((pair) => pair.map(({ captions, seconds }) => captions / BATCH / seconds));
    yield makeRow([name, "steps/s"], speeds.map(([a = NaN, b = NaN]) => [a, b]), bar);
    const [mine, other] = peaks.map((bytes) => bytes / 1e9);
    if (memory) yield makeRow(["peak memory of that training", "GB"], [[mine ?? NaN, other ?? NaN]], { most: 0.8 });
  }
}

/** The lrcn recipe, and what of a step is not libtorch's. */
export async function* lrcnRows(context: BenchContext): AsyncGenerator<Row> {
  const { precisions, rounds } = context;
  const loop = theirTraining(context, { ...EAGER, precision: "fp32", reads: true });
  for (const precision of precisions) {
    const training = ourTraining(context, { recipe: "lrcn", precision });
    const { answers } = await inTurns(training, loop, rounds);
    const name = `lrcn recipe, CNN fine-tuned, ${precision}`;
    const bar = { least: precision === "fp32" ? 6 : 10 };
    yield makeRow([`${name}, against the notebook's loop on the same images`, "captions/s"], speeds(answers), bar);
    const ours = answers.map(([answer]) => answer);
    yield makeRow([`${name}: time of a step outside the library`, "%"], ours.map((answer) => [outside(answer)]), {
      most: 1,
    });
    yield makeRow([`${name}: longest time that the event loop is held`, "ms"], ours.map(({ held }) => [1000 * held]), {
      most: 20,
    });
    yield* validationShare(name, { recipe: "lrcn", precision }, ours);
    const peak = await inTurns(training, matrixProduct(context, precision), rounds);
    const shares = peak.answers.map(([answer, { flops }]) => [operations(answer) / answer.seconds / 1e9, flops / 1e9]);
    yield makeRow([`${name}, against a matrix product`, "GFLOP/s"], shares.map(([a = NaN, b = NaN]) => [a, b]), {
      least: precision === "fp32" ? 0.85 : 0.7,
    });
  }
  const precision = precisions.at(-1) ?? "fp32";
  const frozen = { recipe: "lrcn", frozen: true, precision } as const;
  const { answers } = await inTurns(ourTraining(context, frozen), loop, rounds);
  const name = `lrcn recipe, CNN frozen, features cached, ${precision}`;
  yield makeRow([`${name}, against the same`, "captions/s"], speeds(answers), { least: 60 });
  yield* validationShare(name, frozen, answers.map(([answer]) => answer));

  async function* validationShare(
    name: string,
    training: Parameters<typeof ourValidation>[1],
    trained: readonly TrainingAnswer[],
  ): AsyncGenerator<Row> {
    const perImage = median(trained.map(({ seconds, examples }) => seconds / examples));
    const validations = await alone(ourValidation(context, training), rounds);
    const shares = validations.map(({ seconds, examples }) => {
      const validation = seconds / examples;
      return 100 * validation / (validation + TRAIN_PHOTOGRAPHS_OF_A_VALIDATION_PHOTOGRAPH * perImage);
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

function speeds(answers: readonly (readonly [Speed, Speed])[]): [number, number][] {
  return answers.map(([a, b]) => [a.captions / a.seconds, b.captions / b.seconds]);
}

/** Share of a step, in %, in which the library does not compute: TypeScript, waiting for data, and the call itself. */
function outside({ seconds, native, call, examples }: TrainingAnswer): number {
  return 100 * (seconds - native + call * examples / BATCH) / seconds;
}

/** Floating-point operations of training: the CNN's and the decoder's (LSTM of 512 on 1024, vocabulary of 3,000). */
function operations({ examples, words }: TrainingAnswer): number {
  const [hidden, input, vocabulary] = [512, 1024, 3000];
  const ofWord = 2 * 4 * hidden * (hidden + input) + 2 * hidden * vocabulary;
  return examples * CNN_FLOP + words * 3 * ofWord;
}
