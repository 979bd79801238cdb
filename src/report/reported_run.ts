/**
 * What a report tells of a run, read from the run's files.
 *
 * @module
 */

import { basename, join } from "node:path";
import { z } from "zod";
import { fileErrorReason } from "../files/file_error.ts";
import { InputError } from "../input_error.ts";

/** A number of an epoch that a report draws; null where the run's version did not write it, or it was no number. */
type Figure = number | null;

/** An epoch's line in `metrics.jsonl`, as far as a report needs it. */
export interface ReportedEpoch {
  /** From 1. */
  readonly epoch: number;
  /** Mean loss of a word in training, in nats. */
  readonly trainLoss: Figure;
  /** The same in validation. */
  readonly validationLoss: Figure;
  /** CIDEr-D of the validation's captions. */
  readonly cider: Figure;
  /** Their BLEU-4. */
  readonly bleu4: Figure;
  /** Step size at the epoch's end, the CNN's apart. */
  readonly learningRate: Figure;
  /** The CNN's. */
  readonly encoderLearningRate: Figure;
  /** Seconds of training and validation. */
  readonly seconds: Figure;
  /** Those of the validation. */
  readonly validationSeconds: Figure;
}

/** A image with what is said of it. */
export interface GalleryItem {
  /** The image's name in the dataset. */
  readonly name: string;
  /** What the model sees of it, made small: a `data:` URL. */
  readonly image: string;
  /** What people say. */
  readonly references: readonly string[];
  /** What the model says. */
  readonly caption: string;
  /** CIDEr-D of that, 0 to 10, by how rare words are among the images shown. */
  readonly cider: number;
  /** The model's best captions and their probabilities, the best first. */
  readonly best: readonly { readonly caption: string; readonly probability: number }[];
}

/** A run as a report tells of it. */
export interface ReportedRun {
  /** Its folder's name. */
  readonly name: string;
  /** Its settings by name. */
  readonly settings: Readonly<Record<string, string>>;
  /** Its epochs. */
  readonly epochs: readonly ReportedEpoch[];
  /** Images with captions; none where the run kept none. */
  readonly gallery: readonly GalleryItem[];
}

const figure = z.number().nullable().catch(null);
const epochSchema = z.object({
  epoch: z.int().positive(),
  ...{ trainLoss: figure, validationLoss: figure, cider: figure, bleu4: figure },
  ...{ learningRate: figure, encoderLearningRate: figure, seconds: figure, validationSeconds: figure },
});
const gallerySchema = z.array(z.object({
  name: z.string(),
  image: z.string().regex(/^data:image\/png;base64,[A-Za-z0-9+/=]*$/),
  references: z.array(z.string()),
  caption: z.string(),
  cider: z.number(),
  best: z.array(z.object({ caption: z.string(), probability: z.number() })),
}));
const configSchema = z.looseObject({ recipe: z.record(z.string(), z.unknown()) });

/** The file of a run that keeps its gallery. */
export const GALLERY_FILE = "gallery.json";

/**
 * Reads a run.
 *
 * @param path Its folder.
 * @returns What a report tells of it. Lines of `metrics.jsonl` that are none, and a gallery that is none, are left out.
 * @throws {InputError} If the folder holds no run.
 */
export async function readReportedRun(path: string): Promise<ReportedRun> {
  const config = configSchema.safeParse(parseJson(await readText(path, "config.json")));
  if (!config.success) {
    throw new InputError(`Cannot report on '${path}': its config.json is not what a run writes; give a run's folder`);
  }
  const metrics = await readText(path, "metrics.jsonl", "");
  const gallery = gallerySchema.safeParse(parseJson(await readText(path, GALLERY_FILE, "[]")));
  const { recipe, ...rest } = config.data;
  return {
    name: basename(path),
    settings: settingsOf({ ...recipe, ...rest }),
    epochs: metrics.split("\n").flatMap((line) => epochSchema.safeParse(parseJson(line)).data ?? []),
    gallery: gallery.data ?? [],
  };
}

/** Settings as text, those that are not set left out. */
function settingsOf(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const there = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(
    there.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

async function readText(folder: string, name: string, missing?: string): Promise<string> {
  try {
    return await Deno.readTextFile(join(folder, name));
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    if (error instanceof Deno.errors.NotFound && missing !== undefined) return missing;
    throw new InputError(
      `Cannot report on '${folder}': its '${name}' cannot be read (${fileErrorReason(error)}); give a run's folder`,
      { cause: error },
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
