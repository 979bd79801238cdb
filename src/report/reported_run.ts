import { basename, join } from "node:path";
import { z } from "zod";
import { fileErrorReason } from "../files/file_error.ts";
import { readRegularText } from "../files/open_file.ts";
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
  /** How much the validation loss rises if each caption is given another image. */
  readonly mismatchedImageLossGap: Figure;
  /** Fraction of distinct captions among those of the validation images. */
  readonly distinctFraction: Figure;
}

/** A line that training printed. */
export interface NotedLine {
  readonly line: string;
  readonly warning: boolean;
  /** Epochs that were done. */
  readonly epochs: number;
}

/** The mean training loss of some steps. */
export interface ReportedSteps {
  /** The last of them, from 1, over all epochs. */
  readonly step: number;
  readonly loss: number;
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
  /** When it was started, in ISO 8601; empty if the run does not say. */
  readonly started: string;
  /** What training said about data, model and problems. */
  readonly lines: readonly NotedLine[];
  /** Training loss by step, in at most 400 points. */
  readonly steps: readonly ReportedSteps[];
  /** The gallery; empty if the run kept none. */
  readonly gallery: readonly GalleryItem[];
}

/** Of a file in a run folder. */
const MAX_BYTES = 512 * 2 ** 20;
const MAX_EPOCH = 1e6;

const figure = z.number().nullable().catch(null);
const epochSchema = z.object({
  epoch: z.int().positive().max(MAX_EPOCH),
  trainLoss: figure,
  validationLoss: figure,
  cider: figure,
  bleu4: figure,
  learningRate: figure,
  encoderLearningRate: figure,
  seconds: figure,
  validationSeconds: figure,
  mismatchedImageLossGap: figure,
  distinctFraction: figure,
});
const gallerySchema = z.array(z.object({
  name: z.string(),
  image: z.string().regex(/^data:image\/png;base64,[A-Za-z0-9+/=]*$/),
  references: z.array(z.string()),
  caption: z.string(),
  cider: z.number(),
  best: z.array(z.object({ caption: z.string(), probability: z.number() })),
}));
const notesSchema = z.object({
  started: z.iso.datetime(),
  lines: z.array(z.object({ line: z.string(), warning: z.boolean(), epochs: z.int().nonnegative() })),
});
const stepSchema = z.object({ loss: z.number() });
const MOST_POINTS = 400;
const configSchema = z.looseObject({ recipe: z.record(z.string(), z.unknown()) });

/** The gallery's file in a run folder. */
export const GALLERY_FILE = "gallery.json";
const NOTES_FILE = "notes.json";

/** The content of `notes.json`. */
export interface RunNotes {
  readonly started: string;
  readonly lines: readonly NotedLine[];
}

/** Reads `notes.json` of a run folder; without a valid one there are none. */
export async function readNotes(path: string): Promise<RunNotes> {
  const notes = notesSchema.safeParse(parseJson(await readText(path, NOTES_FILE, "")));
  return notes.data ?? { started: "", lines: [] };
}

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
    ...await readNotes(path),
    steps: meansOf(await readText(path, "steps.jsonl", "")),
    gallery: gallery.data ?? [],
  };
}

/** Means of the losses of successive steps. */
function meansOf(lines: string): ReportedSteps[] {
  const losses = lines.split("\n").flatMap((line) => stepSchema.safeParse(parseJson(line)).data?.loss ?? []);
  const each = Math.max(1, Math.ceil(losses.length / MOST_POINTS));
  return Array.from({ length: Math.ceil(losses.length / each) }, (_, index) => {
    const some = losses.slice(index * each, (index + 1) * each);
    return { step: index * each + some.length, loss: some.reduce((sum, loss) => sum + loss, 0) / some.length };
  });
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
    return await readRegularText(join(folder, name), MAX_BYTES);
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
