// A checkpoint is one safetensors file with everything that captioning needs.

import { z } from "zod";
import { DEFAULT_ENCODER, ENCODER_NAMES, ENCODERS } from "../ffi/encoders.ts";
import { IMAGE_RESIZES, type ImageResize, type ModelSettings } from "../ffi/settings.ts";
import type { ImageDecoding } from "../images/preprocessing.ts";
import { ALPHAS } from "../images/rgb_image.ts";
import { type TokenizerName, TOKENIZERS } from "../text/tokenizer.ts";
import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";
import { cannotRead, openFile, type RandomAccessFile } from "../files/open_file.ts";
import { findJsonFault } from "../files/json_keys.ts";
import {
  BEAM_SIZE_LIMITS,
  MAX_LENGTH_LIMITS,
  MODEL_LIMITS,
  MOST_EPOCHS,
  MOST_LENGTH_PENALTY,
  MOST_WORDS,
  SIDE_LIMITS,
  wholeNumber,
} from "./limits.ts";
import { readHeader, writeSafetensors } from "./safetensors.ts";
import type { StoredTensor, TensorSource } from "./tensor.ts";
import type { WriteAtomicOptions } from "../files/write_atomic.ts";

/** The version of the metadata format. */
export const CHECKPOINT_VERSION = 3;

/** The preprocessing of an image for the network. */
export interface Preprocessing extends ImageDecoding {
  /** Side of the square network input in pixels. */
  readonly imageSize: number;
  /** Pixels of the shorter side after resizing, before the center crop. */
  readonly shortSide: number;
  /**
   * How an image becomes a square: `stretch` makes both sides `shortSide`.
   *
   * @default {"crop"}
   */
  readonly resize?: ImageResize;
}

/** Defaults for decoding. */
export interface DecodingSettings {
  /** The first word of every caption, for a recipe without a start token. */
  readonly firstWord?: string;
  /** Maximum caption length in tokens. */
  readonly maxLength: number;
  /** Beam size. */
  readonly beamSize: number;
  /**
   * Captions are compared by log-probability / length^lengthPenalty.
   *
   * @default {0}
   */
  readonly lengthPenalty?: number;
  /**
   * The tokenizer of the training captions, which also determines how tokens are joined.
   *
   * @default {"nltk"}
   */
  readonly tokenizer?: TokenizerName;
}

/** The position of a training run. Resuming from it gives the same bytes as a run that was never stopped. */
export interface TrainingState {
  /** Every setting of the recipe, by name. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Seed of the order of examples, their augmentation and the initial weights. */
  readonly seed: number;
  /** A digest of the training examples in order. */
  readonly examples: string;
  /** Steps completed in the current epoch. */
  readonly step: number;
  /** Sums over those steps, for the epoch's means. */
  readonly sums: { readonly loss: number; readonly lossWeight: number; readonly gradientNorm: number };
  /** The validation score of each completed epoch; lower is better. */
  readonly validationScores: readonly number[];
  /** The score of the model that training started from, if it competes for the best. */
  readonly startScore?: number | undefined;
}

/** Metadata stored with the weights. It contains no time, path or speed: the same run gives the same bytes. */
export interface CheckpointMetadata {
  /** The recipe's name. */
  readonly recipe: string;
  /** The network's dimensions. */
  readonly model: ModelSettings;
  /** The preprocessing of images. */
  readonly preprocessing: Preprocessing;
  /** The words; the index of a word is its token id. */
  readonly vocabulary: readonly string[];
  /** The defaults for decoding. */
  readonly decoding: DecodingSettings;
  /** A digest of the training dataset. */
  readonly datasetFingerprint: string;
  /** The unit of the split: if it is the caption, an image is in several splits. */
  readonly splitBy?: "image" | "caption";
  /**
   * The seed of the random split, if the dataset has no official split.
   *
   * @default {unknown}
   */
  readonly splitSeed?: number;
  /** Number of completed epochs. */
  readonly epoch: number;
  /** The last epoch's metrics by name. Values that are not finite are not saved. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The training state, in a checkpoint that training can resume from. */
  readonly training?: TrainingState;
}

/** An open checkpoint: close it with `using`. */
export interface Checkpoint extends Disposable {
  /** Metadata stored with the weights. */
  readonly metadata: CheckpointMetadata;
  /** The weights by name. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

const VERSION_KEY = "lrcn";
const ADVICE = "give a file 'best.safetensors' or 'last.safetensors' that 'deno task train' wrote";

// Limits for one field; the settings are nested deepest.
const FIELD_LIMITS = { depth: 8, parts: 10_000 };

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
    // Files without it are older than the choice and have a ResNet-50, of any size.
    encoder: z.enum(ENCODER_NAMES).exactOptional(),
  }).refine(
    ({ encoder = DEFAULT_ENCODER, encoderBlocks }) => encoderBlocks.length === ENCODERS[encoder].blocks.length,
    { error: "its encoder has another number of stages", path: ["encoderBlocks"] },
  ),
  preprocessing: z.object({
    imageSize: wholeNumber(SIDE_LIMITS),
    shortSide: wholeNumber(SIDE_LIMITS),
    resize: z.enum(IMAGE_RESIZES).exactOptional(),
    applyExif: z.boolean(),
    colorManagement: z.boolean().exactOptional(),
    alpha: z.enum(ALPHAS).exactOptional(),
    shrinkOnLoad: z.boolean().exactOptional(),
  })
    .refine(({ imageSize, shortSide }) => imageSize <= shortSide, { error: "imageSize is larger than shortSide" }),
  vocabulary: listOf(z.string(), MOST_WORDS),
  decoding: z.object({
    firstWord: z.string().exactOptional(),
    maxLength: wholeNumber(MAX_LENGTH_LIMITS),
    beamSize: wholeNumber(BEAM_SIZE_LIMITS),
    lengthPenalty: z.number().min(0).max(MOST_LENGTH_PENALTY).exactOptional(),
    tokenizer: z.enum(TOKENIZERS).exactOptional(),
  }),
  datasetFingerprint: z.string(),
  splitBy: z.enum(["image", "caption"]).exactOptional(),
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
    startScore: z.number().optional(),
  }).exactOptional(),
}).refine(({ vocabulary, model }) => vocabulary.length <= model.vocabularySize, {
  error: "it holds more words than model.vocabularySize",
  path: ["vocabulary"],
});

/**
 * Saves a checkpoint atomically. The same metadata and tensors give the same bytes.
 *
 * @param path The file; its folder must exist.
 * @param content Metadata and tensors; one tensor is in memory at a time.
 * @throws {InputError} If the file cannot be written.
 * @throws {TypeError} If the metadata does not match its type, or two tensors have the same name.
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
): Promise<void> {
  await writeCheckpoint(path, content);
}

/** {@linkcode saveCheckpoint} with file operations of one's own. */
export async function writeCheckpoint(
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
 * Opens a checkpoint. All metadata is validated; weights are read on demand.
 *
 * @throws {InputError} If the file is missing, is not a checkpoint, has another format version, or a field is wrong.
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
  using opened = new DisposableStack();
  const file = opened.use(await openFile(path).catch(advise));
  const { metadata, tensors } = await readCheckpointHeader(path, file);
  const parsed = parseMetadata(path, metadata);
  const owner = opened.move();
  return { metadata: parsed, tensors, [Symbol.dispose]: () => owner.dispose() };
}

/**
 * Reads the header of an open file that should be a checkpoint; its metadata is for {@linkcode parseMetadata}.
 *
 * @throws {InputError} If it is not a safetensors file, with what to do.
 */
export async function readCheckpointHeader(path: string, file: RandomAccessFile) {
  return await readHeader(path, file).catch(advise);
}

/** Tells whether a safetensors file is a checkpoint, by its metadata: no other program's file has the key. */
export function isCheckpoint({ metadata }: { readonly metadata: Readonly<Record<string, string>> }): boolean {
  return VERSION_KEY in metadata;
}

function advise(error: unknown): never {
  if (!(error instanceof InputError)) throw error;
  throw new InputError(`${error.message}; ${ADVICE}`, { cause: error });
}

/**
 * Validates the metadata of a safetensors file.
 *
 * @param words Its texts by key.
 * @throws {InputError} If it is not a checkpoint, has another format version, or a field is wrong.
 */
export function parseMetadata(path: string, words: Readonly<Record<string, string>>): CheckpointMetadata {
  if (!isCheckpoint({ metadata: words })) {
    throw cannotRead(
      path,
      `it is a safetensors file but not a checkpoint, the metadata '${VERSION_KEY}' is missing; ${ADVICE}`,
    );
  }
  const fields = Object.fromEntries(Object.entries(words).map(([key, value]) => [key, parseJson(value)]));
  const version = fields[VERSION_KEY];
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1) {
    throw cannotRead(path, `its format version ${quoted(words[VERSION_KEY] ?? "")} is not valid; ${ADVICE}`);
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

/** An array that reports only its first wrong element. Zod's own reports each: millions, in a hostile file. */
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

/** Invalid JSON counts as missing: the field's schema rejects it, and unknown fields are ignored. */
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
