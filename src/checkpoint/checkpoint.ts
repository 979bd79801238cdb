/**
 * The checkpoint: one safetensors file with all that captioning needs.
 *
 * @module
 */

import { z } from "zod";
import { DEFAULT_ENCODER, ENCODER_NAMES, ENCODERS } from "../ffi/encoders.ts";
import type { ModelSettings } from "../ffi/settings.ts";
import { type TokenizerName, TOKENIZERS } from "../text/tokenizer.ts";
import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";
import { cannotRead } from "../files/open_file.ts";
import { findJsonFault } from "../files/json_keys.ts";
import { BEAM_SIZE_LIMITS, MAX_LENGTH_LIMITS, MODEL_LIMITS, MOST_WORDS, SIDE_LIMITS, wholeNumber } from "./limits.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";
import type { StoredTensor, TensorSource } from "./tensor.ts";
import type { WriteAtomicOptions } from "../files/write_atomic.ts";

/** The version of the metadata format that this code writes and reads. */
export const CHECKPOINT_VERSION = 3;

/** How an image becomes the network's input. */
export interface Preprocessing {
  /** Side of the square that the network sees, in pixels. */
  readonly imageSize: number;
  /** Length that the image's shorter side is scaled to before the square is cut out, in pixels. */
  readonly shortSide: number;
  /** Whether the image is first turned as its EXIF orientation says. */
  readonly applyExif: boolean;
}

/** How scores become a caption. */
export interface DecodingSettings {
  /** The word that captions begin with, for a recipe that has no start token. */
  readonly firstWord?: string;
  /** The most words a caption has. */
  readonly maxLength: number;
  /** Captions that are pursued at the same time. */
  readonly beamSize: number;
  /**
   * What split the captions into words, and so how they are put together again.
   *
   * @default {"nltk"}
   */
  readonly tokenizer?: TokenizerName;
}

/** Where a training stands. Gone on with from here, it ends with the same bytes as one that was never stopped. */
export interface TrainingState {
  /** Every setting of the recipe, by name. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Decides the order of the examples, their augmentation and the initial weights. */
  readonly seed: number;
  /** A digest of the training examples in their order. */
  readonly examples: string;
  /** Steps done of the epoch that follows the completed ones. */
  readonly step: number;
  /** Sums over those steps, which become the epoch's means. */
  readonly sums: { readonly loss: number; readonly lossWeight: number; readonly gradientNorm: number };
  /** What the completed epochs are judged by, lower is better. */
  readonly validationScores: readonly number[];
}

/** What stands beside the weights. It holds no clock, no path and no rate: the same run gives the same bytes. */
export interface CheckpointMetadata {
  /** The recipe's name. */
  readonly recipe: string;
  /** The network. */
  readonly model: ModelSettings;
  /** The way of the images. */
  readonly preprocessing: Preprocessing;
  /** The words; a word's place is its token. */
  readonly vocabulary: readonly string[];
  /** The way to the captions. */
  readonly decoding: DecodingSettings;
  /** A digest of the dataset it was trained on. */
  readonly datasetFingerprint: string;
  /**
   * The seed by which the images were split, where their dataset has no split of its own.
   *
   * @default {it is not known}
   */
  readonly splitSeed?: number;
  /** Epochs completed. */
  readonly epoch: number;
  /** The last epoch's numbers by name. Those that are not finite are not saved. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Where the training stands, in a checkpoint that it can go on from. */
  readonly training?: TrainingState;
}

/** An open checkpoint: close it with `using`. */
export interface Checkpoint extends Disposable {
  /** What stands beside the weights. */
  readonly metadata: CheckpointMetadata;
  /** The weights by name. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

// The version's key is also what tells our files from other people's safetensors.
const VERSION_KEY = "lrcn";
const ADVICE = "give a file 'best.safetensors' or 'last.safetensors' that 'deno task train' wrote";

// Of a field; the settings are what lies deepest.
const FIELD_LIMITS = { depth: 8, parts: 10_000 };
const MOST_EPOCHS = 1_000_000;

const count = z.number().int().nonnegative();

const schema: z.ZodType<CheckpointMetadata> = z.object({
  recipe: z.string().min(1),
  model: z.object({
    vocabularySize: wholeNumber(MODEL_LIMITS.vocabularySize),
    embedSize: wholeNumber(MODEL_LIMITS.embedSize),
    hiddenSize: wholeNumber(MODEL_LIMITS.hiddenSize),
    languageLayers: wholeNumber(MODEL_LIMITS.languageLayers),
    fusionLayers: wholeNumber(MODEL_LIMITS.fusionLayers),
    inject: z.enum(["first", "every"]),
    encoderWidth: wholeNumber(MODEL_LIMITS.encoderWidth),
    encoderBlocks: z.array(wholeNumber(MODEL_LIMITS.encoderBlocks)),
    // Files from before there was a choice have a ResNet-50, of any size.
    encoder: z.enum(ENCODER_NAMES).exactOptional(),
  }).refine(
    ({ encoder = DEFAULT_ENCODER, encoderBlocks }) => encoderBlocks.length === ENCODERS[encoder].blocks.length,
    { error: "its encoder has another number of stages", path: ["encoderBlocks"] },
  ),
  preprocessing: z.object({
    imageSize: wholeNumber(SIDE_LIMITS),
    shortSide: wholeNumber(SIDE_LIMITS),
    applyExif: z.boolean(),
  })
    .refine(({ imageSize, shortSide }) => imageSize <= shortSide, { error: "imageSize is larger than shortSide" }),
  vocabulary: listOf(z.string(), MOST_WORDS),
  decoding: z.object({
    firstWord: z.string().exactOptional(),
    maxLength: wholeNumber(MAX_LENGTH_LIMITS),
    beamSize: wholeNumber(BEAM_SIZE_LIMITS),
    tokenizer: z.enum(TOKENIZERS).exactOptional(),
  }),
  datasetFingerprint: z.string(),
  splitSeed: count.exactOptional(),
  epoch: count,
  metrics: z.record(z.string(), z.number()),
  training: z.object({
    settings: z.record(z.string(), z.unknown()),
    seed: count,
    examples: z.string(),
    step: count,
    sums: z.object({ loss: z.number(), lossWeight: z.number(), gradientNorm: z.number() }),
    validationScores: listOf(z.number(), MOST_EPOCHS),
  }).exactOptional(),
}).refine(({ vocabulary, model }) => vocabulary.length <= model.vocabularySize, {
  error: "it holds more words than model.vocabularySize",
  path: ["vocabulary"],
});

/**
 * Saves a checkpoint, whole or not at all. The same metadata and tensors give the same bytes.
 *
 * @param path Where it shall be; its folder must exist.
 * @param content Metadata and tensors; one tensor at a time is in memory.
 * @param options Those of {@linkcode writeSafetensors}.
 * @throws {InputError} The file cannot be written.
 * @throws {TypeError} The metadata is not what its type says, or two tensors have the same name.
 *
 * @example Saving a bias of two numbers
 * ```ts
 * import assert from "node:assert/strict";
 * import { type CheckpointMetadata, openCheckpoint, saveCheckpoint } from "@lrcn/lrcn";
 *
 * const metadata: CheckpointMetadata = {
 *   recipe: "lrcn",
 *   model: {
 *     vocabularySize: 5, embedSize: 8, hiddenSize: 8, languageLayers: 0, fusionLayers: 1, inject: "every",
 *     encoderWidth: 8, encoderBlocks: [1, 1, 1, 1],
 *   },
 *   preprocessing: { imageSize: 32, shortSide: 37, applyExif: true },
 *   vocabulary: ["<pad>", "<unk>", "<start>", "<end>", "kite"],
 *   decoding: { maxLength: 20, beamSize: 3 },
 *   datasetFingerprint: "none", epoch: 1, metrics: { cider: 0.5 },
 * };
 * const folder = await Deno.makeTempDir();
 * const bias = { name: "linear.bias", dtype: "F32", shape: [2], read: () => Promise.resolve(new Uint8Array(8)) } as const;
 * await saveCheckpoint(`${folder}/a.safetensors`, { metadata, tensors: [bias] });
 * using checkpoint = await openCheckpoint(`${folder}/a.safetensors`);
 * assert.deepEqual(checkpoint.metadata, metadata);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function saveCheckpoint(
  path: string,
  content: { readonly metadata: CheckpointMetadata; readonly tensors: Iterable<TensorSource> },
  options: Omit<WriteAtomicOptions, "size"> = {},
): Promise<void> {
  const metrics = Object.entries(content.metadata.metrics)
    .filter(([, value]) => Number.isFinite(value)).sort(([a], [b]) => a < b ? -1 : 1);
  const parsed = schema.safeParse({ ...content.metadata, metrics: Object.fromEntries(metrics) });
  if (!parsed.success) throw new TypeError(`Cannot save checkpoint: ${firstIssue(parsed.error)}`);
  const metadata: Record<string, string> = { [VERSION_KEY]: JSON.stringify(CHECKPOINT_VERSION) };
  for (const [key, value] of Object.entries(parsed.data)) metadata[key] = JSON.stringify(value);
  await writeSafetensors(path, { metadata, tensors: content.tensors }, options);
}

/**
 * Opens a checkpoint. Its metadata is checked whole; weights are read when they are asked for.
 *
 * @param path The file.
 * @returns Metadata and weights.
 * @throws {InputError} There is no such file, it is no checkpoint, a newer version wrote it, or a field is wrong.
 *
 * @example Listing the words a checkpoint knows
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@lrcn/lrcn";
 *
 * using checkpoint = await openCheckpoint("docs/example/model.safetensors");
 * assert.deepEqual(checkpoint.metadata.vocabulary.slice(0, 4), ["<pad>", "<unk>", "<start>", "<end>"]);
 * assert.deepEqual(checkpoint.tensors.get("resnet.conv1.weight")?.shape, [3, 3, 7, 7]);
 * ```
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const file = await openAsCheckpoint(path);
  try {
    return {
      metadata: parseMetadata(path, file.metadata),
      tensors: file.tensors,
      [Symbol.dispose]: () => file[Symbol.dispose](),
    };
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

async function openAsCheckpoint(path: string) {
  try {
    return await readSafetensors(path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${error.message}; ${ADVICE}`, { cause: error });
  }
}

function parseMetadata(path: string, words: Readonly<Record<string, string>>): CheckpointMetadata {
  if (!(VERSION_KEY in words)) {
    throw cannotRead(
      path,
      `it is a safetensors file but no checkpoint, the metadata '${VERSION_KEY}' is missing; ${ADVICE}`,
    );
  }
  const fields = Object.fromEntries(Object.entries(words).map(([key, value]) => [key, parseJson(value)]));
  const version = fields[VERSION_KEY];
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1) {
    throw cannotRead(path, `its format version ${quoted(words[VERSION_KEY] ?? "")} is none; ${ADVICE}`);
  }
  if (version !== CHECKPOINT_VERSION) {
    const advice = version > CHECKPOINT_VERSION ? "update lrcn" : "train the model again";
    const age = version > CHECKPOINT_VERSION ? "a newer" : "an older";
    throw cannotRead(
      path,
      `${age} version of lrcn wrote it (format ${version}, this one reads ${CHECKPOINT_VERSION}); ${advice}`,
    );
  }
  const parsed = schema.safeParse(fields);
  if (!parsed.success) throw cannotRead(path, `${firstIssue(parsed.error)}; ${ADVICE}`, parsed.error);
  return parsed.data;
}

/** A list of which the first wrong element is an issue. Zod's own makes one of each: millions, in a hostile file. */
function listOf<T>(element: z.ZodType<T>, most: number): z.ZodType<T[]> {
  const error = `it has more than ${most} elements`;
  return z.array(z.unknown()).max(most, { error, abort: true }).transform((values, context) => {
    const list: T[] = [];
    for (const [index, value] of values.entries()) {
      const parsed = element.safeParse(value);
      if (!parsed.success) {
        context.addIssue({ code: "custom", message: parsed.error.issues[0]?.message ?? "", path: [index] });
        return z.NEVER;
      }
      list.push(parsed.data);
    }
    return list;
  });
}

/** A text that is no sound JSON is as good as missing: the field it belongs to is refused, any other is not looked at. */
function parseJson(text: string): unknown {
  if (findJsonFault(text, FIELD_LIMITS) !== undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return "its metadata is wrong";
  return `the field ${quoted(issue.path.join("."))} is wrong, ${issue.message.replaceAll(/\s+/g, " ")}`;
}
