/**
 * What all measurements are made with.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Entrant } from "./rounds.ts";

/** The arithmetic of a measurement. */
export type Precision = "fp32" | "bf16";

/** What all measurements are made with. */
export interface BenchContext {
  /** A Python with torch of the library's version, numpy and Pillow. */
  readonly python: string;
  /** Where both sides compute. */
  readonly device: "cpu" | "cuda";
  /** The arithmetics that the device is fast in. */
  readonly precisions: readonly Precision[];
  /** A folder with the images and captions that `examples.py` draws. */
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
}

/** Permissions of our side, those of `deno task train` and of what it is spoken to by. */
const PERMISSIONS = ["--allow-ffi=native/build/liblrcn.so", "--allow-read", "--allow-write", "--allow-sys=statfs"];

/** The project's root. */
export const PROJECT: string = fileURLToPath(new URL("..", import.meta.url));

const trainingAnswer = z.object({
  ...{ seconds: z.number(), captions: z.number(), words: z.number(), examples: z.number() },
  ...{ native: z.number(), call: z.number(), held: z.number() },
});
const validationAnswer = z.object({ seconds: z.number(), examples: z.number() });
const theirTrainingAnswer = z.object({ seconds: z.number(), captions: z.number() });
const captionAnswer = z.object({ seconds: z.number(), captions: z.array(z.string()) });

/** What {@linkcode ourTraining} answers. */
export type TrainingAnswer = z.infer<typeof trainingAnswer>;

function ours(script: string, settings: unknown) {
  const path = fileURLToPath(new URL(`lrcn/${script}`, import.meta.url));
  return { command: Deno.execPath(), args: ["run", ...PERMISSIONS, path, JSON.stringify(settings)] };
}

function theirs({ python }: BenchContext, script: string, settings: unknown) {
  const path = fileURLToPath(new URL(`pytorch/${script}`, import.meta.url));
  return { command: python, args: [path, JSON.stringify(settings)] };
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
  /** Whether a GPU records steps. */
  readonly record?: boolean;
  /** Whether images are black, and none is read. */
  readonly blank?: boolean;
}

/** Our training. */
export function ourTraining(context: BenchContext, training: OurTraining): Entrant<TrainingAnswer> {
  const { device, data, work: cache, steps } = context;
  // Steps of the decoder alone take some milliseconds.
  const settings = { ...training, device, data, cache, steps: training.frozen ? 20 * steps : steps };
  return { program: ours("train.ts", settings), answer: trainingAnswer };
}

/** Our validation: loss, image gap, captions and their scores. */
export function ourValidation(
  { device, data, work: cache }: BenchContext,
  training: OurTraining,
): Entrant<z.infer<typeof validationAnswer>> {
  const settings = { ...training, device, data, cache, steps: 1, validate: true };
  return { program: ours("train.ts", settings), answer: validationAnswer };
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

/** The notebook's training in PyTorch. */
export function theirTraining(
  context: BenchContext,
  training: TheirTraining,
): Entrant<z.infer<typeof theirTrainingAnswer>> {
  const { device, data, steps } = context;
  const { compile = false, jemalloc = false, reads = false, recipe = "notebook", batchSize = 16, ...rest } = training;
  const settings = { ...rest, compile, recipe, batchSize, device, data: reads ? data : null, steps };
  const program = theirs(context, "train.py", settings);
  const env = jemalloc && context.jemalloc !== undefined
    ? { LD_PRELOAD: context.jemalloc, MALLOC_CONF: "dirty_decay_ms:-1,muzzy_decay_ms:-1" }
    : {};
  return { program: { ...program, env }, answer: theirTrainingAnswer };
}

/** The speed of a product of matrices in PyTorch. */
export function matrixProduct(context: BenchContext, precision: Precision): Entrant<{ flops: number }> {
  const program = theirs(context, "matrix_product.py", { precision, device: context.device });
  return { program, answer: z.object({ flops: z.number() }) };
}

/** What is captioned. */
export interface Captioning {
  /** The model. */
  readonly checkpoint: string;
  /** The image files. */
  readonly files: readonly string[];
  /** Captions pursued at once. */
  readonly beam: number;
  /** The arithmetic. */
  readonly precision: Precision;
}

/** Our captions. */
export function ourCaptions({ device }: BenchContext, captioning: Captioning): Entrant<z.infer<typeof captionAnswer>> {
  return { program: ours("caption.ts", { ...captioning, device }), answer: captionAnswer };
}

/** Captions by PyTorch, of a model that was exported for it. */
export function theirCaptions(context: BenchContext, settings: unknown): Entrant<z.infer<typeof captionAnswer>> {
  return { program: theirs(context, "caption.py", settings), answer: captionAnswer };
}
