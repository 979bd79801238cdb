import { basename, join } from "node:path";
import { z } from "zod";
import { MOST_EPOCHS } from "../checkpoint/limits.ts";
import { fileErrorReason } from "../files/file_error.ts";
import { InputError } from "../input_error.ts";

/** A number of an epoch; null if it is missing or not finite. */
type Figure = number | null;

/** A line of `metrics.jsonl`, as far as a report needs it. */
export interface ReportedEpoch {
  /** From 1. */
  readonly epoch: number;
  /** Mean training loss per token, in nats. */
  readonly trainLoss: Figure;
  /** Mean validation loss per token, in nats. */
  readonly validationLoss: Figure;
  /** CIDEr-D on the validation set. */
  readonly cider: Figure;
  /** BLEU-4 on the validation set. */
  readonly bleu4: Figure;
  /** Learning rate of the decoder at the end of the epoch. */
  readonly learningRate: Figure;
  /** Learning rate of the CNN at the end of the epoch. */
  readonly encoderLearningRate: Figure;
  /** Seconds of training and validation. */
  readonly seconds: Figure;
  /** Seconds of validation. */
  readonly validationSeconds: Figure;
}

/** A validation image with its captions. */
export interface GalleryItem {
  /** The image's name in the dataset. */
  readonly name: string;
  /** A thumbnail of the model's input, as a `data:` URL. */
  readonly image: string;
  /** Human captions. */
  readonly references: readonly string[];
  /** The model's caption. */
  readonly caption: string;
  /** CIDEr-D of the caption, 0 to 10, with the document frequencies of the gallery. */
  readonly cider: number;
  /** The model's top candidates with their probabilities, best first. */
  readonly best: readonly { readonly caption: string; readonly probability: number }[];
}

/** A run's data for the report. */
export interface ReportedRun {
  /** The folder's name. */
  readonly name: string;
  /** The settings by name. */
  readonly settings: Readonly<Record<string, string>>;
  /** The epochs. */
  readonly epochs: readonly ReportedEpoch[];
  /** The gallery; empty if the run kept none. */
  readonly gallery: readonly GalleryItem[];
}

const figure = z.number().nullable().catch(null);
const epochSchema = z.object({
  epoch: z.int().min(1).max(MOST_EPOCHS),
  trainLoss: figure,
  validationLoss: figure,
  cider: figure,
  bleu4: figure,
  learningRate: figure,
  encoderLearningRate: figure,
  seconds: figure,
  validationSeconds: figure,
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

/** The gallery's file in a run folder. */
export const GALLERY_FILE = "gallery.json";

/**
 * Reads a run folder. Invalid lines of `metrics.jsonl` and an invalid gallery are skipped.
 *
 * @throws {InputError} If the folder does not hold a run.
 */
export async function readReportedRun(path: string): Promise<ReportedRun> {
  const config = configSchema.safeParse(parseJson(await readText(path, "config.json")));
  if (!config.success) {
    throw new InputError(`Cannot report on '${path}': its config.json is not a run's; give a run folder`);
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

/** The settings as text, without those that are not set. */
function settingsOf(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const set = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(
    set.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

async function readText(folder: string, name: string, missing?: string): Promise<string> {
  try {
    return await Deno.readTextFile(join(folder, name));
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    if (error instanceof Deno.errors.NotFound && missing !== undefined) return missing;
    throw new InputError(
      `Cannot report on '${folder}': its '${name}' cannot be read (${fileErrorReason(error)}); give a run folder`,
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
