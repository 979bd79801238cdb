/**
 * What all measurements are made with.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Recipe } from "../src/pipeline/recipe.ts";
import type { Entrant } from "./rounds.ts";
import type { Bar } from "./table.ts";
import { taskCommand } from "./task_command.ts";

/** The precision of a measurement. */
export type Precision = "fp32" | "bf16";

/** What all measurements are made with. */
export interface BenchContext {
  /** A Python with torch of the library's version, numpy and Pillow; undefined measures nothing in PyTorch. */
  readonly python: string | undefined;
  /** Another checkout of this project, measured in PyTorch's place. */
  readonly against: string | undefined;
  /** Where both sides compute. */
  readonly device: "cpu" | "cuda";
  /** The precisions that the device is fast in. */
  readonly precisions: readonly Precision[];
  /** The dataset's folder. */
  readonly data: string;
  /** A folder for caches and models. */
  readonly work: string;
  /** How often each side is measured. */
  readonly rounds: number;
  /** Training steps of a measurement. */
  readonly steps: number;
  /** Whether only what takes a minute is measured. */
  readonly quick: boolean;
  /** jemalloc's library, or undefined where there is none. */
  readonly jemalloc: string | undefined;
  /** Settings of every recipe that are changed, so that a smoke run has a small model. */
  readonly settings: Partial<Recipe>;
}

const trainingAnswer = z.object({
  ...{ seconds: z.number(), captions: z.number(), words: z.number(), images: z.number() },
  ...{ native: z.number(), call: z.number(), held: z.number() },
});
const validationAnswer = z.object({ seconds: z.number(), images: z.number() });
const theirTrainingAnswer = z.object({ seconds: z.number(), captions: z.number() });
const captionAnswer = z.object({ seconds: z.number(), captions: z.array(z.string()) });

/** What {@linkcode ourTraining} answers. */
export type TrainingAnswer = z.infer<typeof trainingAnswer>;

function ours(task: "train" | "caption", settings: unknown, root?: string) {
  return taskCommand(task, [JSON.stringify(settings)], { script: `bench/lrcn/${task}.ts`, root });
}

function theirs(python: string, script: string, settings: unknown) {
  const path = fileURLToPath(new URL(`pytorch/${script}`, import.meta.url));
  return { command: python, args: [path, JSON.stringify(settings)] };
}

/**
 * Names a row by what ours is measured beside, with the bar that was set for PyTorch.
 *
 * @param name What is measured.
 * @param pytorch The counterpart in PyTorch.
 * @param bar What the ratio to it is held against.
 */
export function beside(
  { python, against }: BenchContext,
  name: string,
  pytorch: string,
  bar: Bar,
): { readonly name: string; readonly bar: Bar } {
  if (python !== undefined) return { name: `${name}, against ${pytorch}`, bar };
  return { name: against === undefined ? name : `${name}, against ${against}`, bar: {} };
}

/** What is trained on our side. */
export interface OurTraining {
  /** The recipe. */
  readonly recipe: "notebook" | "lrcn";
  /** Whether the CNN is frozen and its features come from the cache. */
  readonly frozen?: boolean;
  /** The arithmetic. */
  readonly precision: Precision;
  /** Images of a batch, 16 where it is not said. */
  readonly batchSize?: number;
  /** Whether images are black, and none is read. */
  readonly blank?: boolean;
}

/** What `lrcn/train.ts` reads. */
export interface TrainingSettings extends OurTraining {
  /** Where it computes. */
  readonly device: BenchContext["device"];
  /** The dataset's folder. */
  readonly data: string;
  /** A folder for caches. */
  readonly cache: string;
  /** Steps of a measurement. */
  readonly steps: number;
  /** Measures a validation instead of steps. */
  readonly validate?: boolean;
  /** Settings of the recipe to change. */
  readonly set: Partial<Recipe>;
}

/** Our training, or that of another checkout, which has a cache of its own. */
export function ourTraining(context: BenchContext, training: OurTraining, root?: string): Entrant<TrainingAnswer> {
  const { device, data, work, steps, settings: set } = context;
  const cache = root === undefined ? work : join(work, "against");
  // Steps of the decoder alone take some milliseconds.
  const scaled = training.frozen ? 20 * steps : steps;
  const settings: TrainingSettings = { ...training, device, data, cache, steps: scaled, set };
  return { program: ours("train", settings, root), answer: trainingAnswer };
}

/** Our validation: loss, image gap, captions and their scores. */
export function ourValidation(
  { device, data, work: cache, settings: set }: BenchContext,
  training: OurTraining,
): Entrant<z.infer<typeof validationAnswer>> {
  const settings: TrainingSettings = { ...training, device, data, cache, steps: 1, validate: true, set };
  return { program: ours("train", settings), answer: validationAnswer };
}

/** How the notebook is run in PyTorch. */
export interface TheirTraining {
  /** The arithmetic. */
  readonly precision: Precision;
  /** Images and convolutions as the notebook has them, or as PyTorch advises. */
  readonly layout: "contiguous" | "channels_last";
  /** Whether Adam is fused. */
  readonly fused: boolean;
  /** Whether `torch.compile` is used. */
  readonly compile?: boolean;
  /** Whether jemalloc takes glibc's place, and gives nothing back. */
  readonly jemalloc?: boolean;
  /** Whether images are read, or one batch is always there. */
  readonly reads?: boolean;
  /** Whether the lrcn recipe's model and loss are trained, on five captions an image, in place of the notebook's. */
  readonly recipe?: "notebook" | "lrcn";
  /** Images of a batch. */
  readonly batchSize?: number;
}

/** The counterpart of our training: the notebook's in PyTorch, or that of another checkout. */
export function theirTraining(
  context: BenchContext,
  training: TheirTraining,
  our: OurTraining,
): Entrant<z.infer<typeof theirTrainingAnswer>> | undefined {
  const { python, against, device, data, steps } = context;
  if (python === undefined) {
    return against === undefined ? undefined : { ...ourTraining(context, our, against), answer: theirTrainingAnswer };
  }
  const { compile = false, jemalloc = false, reads = false, recipe = "notebook", batchSize = 16, ...rest } = training;
  const settings = { ...rest, compile, recipe, batchSize, device, data: reads ? data : null, steps };
  const program = theirs(python, "train.py", settings);
  const env = jemalloc && context.jemalloc !== undefined
    ? { LD_PRELOAD: context.jemalloc, MALLOC_CONF: "dirty_decay_ms:-1,muzzy_decay_ms:-1" }
    : {};
  return { program: { ...program, env }, answer: theirTrainingAnswer };
}

/** The speed of a product of matrices in PyTorch. */
export function matrixProduct(python: string, precision: Precision, device: string): Entrant<{ flops: number }> {
  const program = theirs(python, "matrix_product.py", { precision, device });
  return { program, answer: z.object({ flops: z.number() }) };
}

/** What is captioned. */
export interface Captioning {
  /** The model. */
  readonly checkpoint: string;
  /** The image files. */
  readonly files: readonly string[];
  /** Beam size; 1 is greedy. */
  readonly beamSize: number;
  /** The arithmetic. */
  readonly precision: Precision;
}

/** What `lrcn/caption.ts` reads. */
export interface CaptionSettings extends Captioning {
  /** Where it computes. */
  readonly device: BenchContext["device"];
}

/** Our captions, or those of another checkout. */
export function ourCaptions(
  { device }: BenchContext,
  captioning: Captioning,
  root?: string,
): Entrant<z.infer<typeof captionAnswer>> {
  const settings: CaptionSettings = { ...captioning, device };
  return { program: ours("caption", settings, root), answer: captionAnswer };
}

/** Captions by PyTorch, of a model that was exported for it. */
export function theirCaptions(python: string, settings: unknown): Entrant<z.infer<typeof captionAnswer>> {
  return { program: theirs(python, "caption.py", settings), answer: captionAnswer };
}
