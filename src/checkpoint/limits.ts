// Limits for the numbers in model files. A file can claim any size in a few bytes; these bound memory and time.

import { z } from "zod";
import type { ModelSettings } from "../ffi/settings.ts";

/** The range of a number, both ends included. */
export type Limits = readonly [min: number, max: number];

/** A model's dimensions, as limited by the native library. */
export const MODEL_LIMITS: Readonly<Record<Exclude<keyof ModelSettings, "inject" | "encoder">, Limits>> = {
  vocabularySize: [2, 2 ** 24],
  embedSize: [1, 2 ** 16],
  hiddenSize: [1, 2 ** 16],
  languageLayers: [0, 64],
  fusionLayers: [1, 64],
  encoderWidth: [1, 1024],
  encoderBlocks: [1, 256],
};

/** Sides of images in pixels: at most 50 MB per image. */
export const SIDE_LIMITS: Limits = [1, 4096];

/** Tokens of a caption. Each costs one step of the model. */
export const MAX_LENGTH_LIMITS: Limits = [1, 1000];

/** Beam size. A step's work grows with its square. */
export const BEAM_SIZE_LIMITS: Limits = [1, 100];

/** Maximum length penalty: with more, only the longest captions win. */
export const MOST_LENGTH_PENALTY = 5;

/** Maximum number of epochs: more than anybody trains. */
export const MOST_EPOCHS = 1_000_000;

/** Maximum vocabulary size: several times that of any language's dictionary. */
export const MOST_WORDS = 1_000_000;

/** A whole number within limits; the error names the value and the range. */
export function wholeNumber([min, max]: Limits): z.ZodType<number> {
  const error = ({ input }: { readonly input?: unknown }) =>
    `it is ${typeof input === "number" ? input : "not a number"}, give a whole number from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}
