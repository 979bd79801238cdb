/**
 * How large what files say of a model may be. A file claims any number in a few bytes; memory and time are taken for what
 * lies within these.
 *
 * @module
 */

import { z } from "zod";
import type { ModelSettings } from "../ffi/settings.ts";

/** The least and the most that a number may be. */
export type Limits = readonly [least: number, most: number];

/** A model's dimensions: what the native library takes. */
export const MODEL_LIMITS: Readonly<Record<Exclude<keyof ModelSettings, "inject" | "encoder">, Limits>> = {
  vocabularySize: [2, 2 ** 24],
  embedSize: [1, 2 ** 16],
  hiddenSize: [1, 2 ** 16],
  languageLayers: [0, 64],
  fusionLayers: [1, 64],
  encoderWidth: [1, 1024],
  encoderBlocks: [1, 256],
};

/** Sides of images, in pixels: 50 MB for each that is captioned. */
export const SIDE_LIMITS: Limits = [1, 4096];

/** Words of a caption. Each costs a step of the model. */
export const MAX_LENGTH_LIMITS: Limits = [1, 1000];

/** Captions pursued at the same time. A step's work grows with the square. */
export const BEAM_SIZE_LIMITS: Limits = [1, 100];

/** The most words of a vocabulary: several times those of any language's dictionary. */
export const MOST_WORDS = 1_000_000;

/** The type of a whole number within limits, whose error says what was found and what may be. */
export function wholeNumber([least, most]: Limits): z.ZodType<number> {
  const error = ({ input }: { readonly input?: unknown }) =>
    `it is ${typeof input === "number" ? input : "not a number"}, give a whole number from ${least} to ${most}`;
  return z.number({ error }).int({ error }).min(least, { error }).max(most, { error });
}
