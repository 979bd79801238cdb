/**
 * The settings of a training run: their names, types and meanings.
 *
 * @module
 */

import { z } from "zod";
import {
  BEAM_SIZE_LIMITS,
  type Limits,
  MAX_LENGTH_LIMITS,
  MODEL_LIMITS,
  MOST_LENGTH_PENALTY,
  SIDE_LIMITS,
} from "../checkpoint/limits.ts";
import { IMAGE_RESIZES, type ImageResize } from "../ffi/settings.ts";
import { type Alpha, ALPHAS } from "../images/rgb_image.ts";
import { ENCODER_NAMES, ENCODER_STAGES, type EncoderName, type EncoderStage } from "../ffi/encoders.ts";
import { type TokenizerName, TOKENIZERS } from "../text/tokenizer.ts";

/** A number that may be given as text. */
type Setting = z.ZodType<number>;

/** The native library counts in 32 bits. */
const LARGEST_COUNT = 2 ** 31 - 1;
const count: Setting = number(z.coerce.number().int().nonnegative().max(LARGEST_COUNT));
const positive: Setting = number(z.coerce.number().int().positive().max(LARGEST_COUNT));
const rate: Setting = number(z.coerce.number().nonnegative());
const blocks: Setting = within(MODEL_LIMITS.encoderBlocks);
const probability: Setting = number(z.coerce.number().min(0).lt(1));

/** A whole number, perhaps as text, within the limits that the checkpoint and the native library share. */
function within([least, most]: Limits): Setting {
  return number(z.coerce.number().int().min(least).max(most));
}

/** Blank text is no number, though JavaScript reads 0 from it. */
function number(type: z.ZodType<number>): Setting {
  return z.preprocess((value) => typeof value === "string" && value.trim() === "" ? NaN : value, type);
}

const flag: z.ZodType<boolean> = z.preprocess(
  (value) => value === "true" ? true : value === "false" ? false : value,
  z.boolean(),
);

const SCHEDULES = ["constant", "cosine", "one-cycle", "plateau"] as const satisfies readonly Recipe["schedule"][];

const VALIDATION_METRICS = ["loss", "bleu4", "cider"] as const satisfies readonly ValidationMetric[];

/** The metrics that can choose the best checkpoint. */
export type ValidationMetric = "loss" | "bleu4" | "cider";

/** The settings of a training run. */
export interface Recipe {
  /** The preset that the settings are based on. */
  readonly name: "lrcn" | "notebook" | "sample";
  /** Unit of a random split; by caption, an image's captions fall into several splits, and official splits are ignored. */
  readonly splitBy: "image" | "caption";
  /** Masked: <start> to <end>, padding ignored; shifted: the notebook's, padded to maxLength, padding counted, targets shifted twice. */
  readonly collation: "masked" | "shifted";
  /** Epoch loss: mean over tokens, or mean of the batches' means. */
  readonly lossMean: "token" | "batch";
  /** Nltk: word_tokenize; unicode: for other scripts. */
  readonly tokenizer: TokenizerName;
  /** Minimum occurrences of a word in the training set to enter the vocabulary. */
  readonly minCount: number;
  /** Minimum rows of the embedding and the output layer. */
  readonly minVocabulary: number;
  /** Maximum caption length in tokens, for training and generation. */
  readonly maxLength: number;
  /** Images per batch (captions if splitBy=caption). */
  readonly batchSize: number;
  /** Batches per optimizer step. */
  readonly gradientAccumulationSteps: number;
  /** Maximum number of epochs. */
  readonly epochs: number;
  /** Epochs without a better validation score after which training stops; 0: never. */
  readonly patience: number;
  /** Metric that chooses the best checkpoint. */
  readonly bestBy: ValidationMetric;
  /** Turn images as their EXIF orientation says. */
  readonly applyExif: boolean;
  /** Convert the colors of an image's profile to sRGB. */
  readonly colorManagement: boolean;
  /** Blend transparency over white, or drop it and keep the hidden colors. */
  readonly alpha: Alpha;
  /** Decode large JPEGs at half, a quarter or an eighth of their size. */
  readonly shrinkOnLoad: boolean;
  /** Side of the network's input in pixels. */
  readonly imageSize: number;
  /** Keep an image's aspect ratio and use its center (crop), or the whole image at another ratio (stretch). */
  readonly resize: ImageResize;
  /** Augmentation: random crops, while the encoder is trained and resize=crop, and horizontal flips. */
  readonly augmentation: "none" | "crop" | "flip" | "crop-flip";
  /** Size of the word embedding. */
  readonly embedSize: number;
  /** Hidden size of each LSTM layer. */
  readonly hiddenSize: number;
  /** LSTM layers that read words only. */
  readonly languageLayers: number;
  /** LSTM layers that read words and the image. */
  readonly fusionLayers: number;
  /** Image feature as the first input (pre-inject) or beside every word (par-inject). */
  readonly inject: "first" | "every";
  /** Image encoder. */
  readonly encoder: EncoderName;
  /** Channels of a ResNet's first convolution; EfficientNet-Lite's width coefficient in hundredths. */
  readonly encoderWidth: number;
  /** Blocks of each of the encoder's stages, e.g. 3,4,6,3. */
  readonly encoderBlocks: readonly number[];
  /** PyTorch's random initialization, with or without a zero vector for <pad>. */
  readonly initialization: "zero-padding" | "random";
  /** Standard deviation of the initial word embeddings; PyTorch's is 1. */
  readonly embeddingStd: number;
  /** Dropout on image features. */
  readonly featureDropout: number;
  /** Dropout on word embeddings. */
  readonly embeddingDropout: number;
  /** Dropout between LSTM layers. */
  readonly lstmDropout: number;
  /** Dropout before the output layer. */
  readonly outputDropout: number;
  /** Label smoothing. */
  readonly labelSmoothing: number;
  /** Scheduled sampling: probability in the last epoch of feeding a sampled token; grows linearly from 0. */
  readonly scheduledSampling: number;
  /** Optimizer. */
  readonly optimizer: "adam" | "adamw";
  /** Peak learning rate, once the encoder is trained. */
  readonly learningRate: number;
  /** Peak learning rate of the encoder. */
  readonly encoderLearningRate: number;
  /** Learning rate schedule: it covers the epochs with a frozen encoder, and begins again when the encoder is fine-tuned. */
  readonly schedule: "constant" | "cosine" | "one-cycle" | "plateau";
  /** Linear warmup steps; one-cycle has its own. */
  readonly warmupSteps: number;
  /** Factor by which plateau lowers the learning rate. */
  readonly plateauFactor: number;
  /** Epochs without improvement that plateau tolerates. */
  readonly plateauPatience: number;
  /** Weight decay. */
  readonly weightDecay: number;
  /** Weight decay of the encoder. */
  readonly encoderWeightDecay: number;
  /** Clip gradients to this L2 norm; 0: never. */
  readonly maxGradientNorm: number;
  /** First epochs with a frozen encoder, its BatchNorm statistics included. */
  readonly frozenEpochs: number;
  /** Peak learning rate in those epochs. */
  readonly frozenLearningRate: number;
  /** First stage of the encoder that is trained; those before stay frozen. */
  readonly trainableFrom: EncoderStage;
  /** BatchNorm of the trainable layers: batch statistics, synchronized across processes, or frozen running statistics. */
  readonly batchNorm: "batch" | "synchronized" | "frozen";
  /** Default beam size of the trained model; 1 is greedy. */
  readonly beamSize: number;
  /** Default length penalty: beams are compared by log-probability / length^lengthPenalty. */
  readonly lengthPenalty: number;
  /** Cross-entropy with the references, or CIDEr-D of sampled captions (by --self-critical). */
  readonly objective: "cross-entropy" | "self-critical";
  /** Captions sampled per image in self-critical training. */
  readonly samples: number;
  /** Baseline of a sample's reward: the greedy caption's, or the mean of the image's other samples. */
  readonly baseline: "greedy" | "samples";
  /** Also write the final weights as a PyTorch state dict. */
  readonly exportPth: boolean;
}

/** The same for `--set key=value`, with the help text. */
export const RECIPE_SCHEMA = z.strictObject({
  name: z.enum(["lrcn", "notebook", "sample"]),
  splitBy: z.enum(["image", "caption"]).describe(
    "unit of a random split; by caption, an image's captions fall into several splits, and official splits are ignored",
  ),
  collation: z.enum(["masked", "shifted"]).describe(
    "masked: <start> to <end>, padding ignored; shifted: the notebook's, padded to maxLength, padding counted, targets shifted twice",
  ),
  lossMean: z.enum(["token", "batch"]).describe("epoch loss: mean over tokens, or mean of the batches' means"),
  tokenizer: z.enum(TOKENIZERS).describe("nltk: word_tokenize; unicode: for other scripts"),
  minCount: positive.describe("minimum occurrences of a word in the training set to enter the vocabulary"),
  minVocabulary: within([0, MODEL_LIMITS.vocabularySize[1]]).describe(
    "minimum rows of the embedding and the output layer",
  ),
  maxLength: within(MAX_LENGTH_LIMITS).describe("maximum caption length in tokens, for training and generation"),
  batchSize: positive.describe("images per batch (captions if splitBy=caption)"),
  gradientAccumulationSteps: positive.describe("batches per optimizer step"),
  epochs: positive.describe("maximum number of epochs"),
  patience: count.describe("epochs without a better validation score after which training stops; 0: never"),
  bestBy: z.enum(VALIDATION_METRICS).describe("metric that chooses the best checkpoint"),
  applyExif: flag.describe("turn images as their EXIF orientation says"),
  colorManagement: flag.describe("convert the colors of an image's profile to sRGB"),
  alpha: z.enum(ALPHAS).describe("blend transparency over white, or drop it and keep the hidden colors"),
  shrinkOnLoad: flag.describe(
    "decode large JPEGs at half, a quarter or an eighth of their size, several times as fast",
  ),
  imageSize: number(z.coerce.number().int().min(16).max(Math.floor(SIDE_LIMITS[1] * 224 / 256))).describe(
    "side of the network's input in pixels",
  ),
  resize: z.enum(IMAGE_RESIZES).describe(
    "keep an image's aspect ratio and use its center (crop), or the whole image at another ratio (stretch)",
  ),
  augmentation: z.enum(["none", "crop", "flip", "crop-flip"]).describe(
    "random crops, while the encoder is trained and resize=crop, and horizontal flips",
  ),
  embedSize: within(MODEL_LIMITS.embedSize).describe("size of the word embedding"),
  hiddenSize: within(MODEL_LIMITS.hiddenSize).describe("hidden size of each LSTM layer"),
  languageLayers: within(MODEL_LIMITS.languageLayers).describe("LSTM layers that read words only"),
  fusionLayers: within(MODEL_LIMITS.fusionLayers).describe("LSTM layers that read words and the image"),
  inject: z.enum(["first", "every"]).describe(
    "image feature as the first input (pre-inject) or beside every word (par-inject)",
  ),
  encoder: z.enum(ENCODER_NAMES).describe("image encoder"),
  encoderWidth: within(MODEL_LIMITS.encoderWidth).describe(
    "channels of a ResNet's first convolution; EfficientNet-Lite's width coefficient in hundredths",
  ),
  encoderBlocks: z.preprocess(
    (value) => typeof value === "string" ? value.split(",") : value,
    z.array(blocks),
  ).describe("blocks of each of the encoder's stages, e.g. 3,4,6,3"),
  initialization: z.enum(["zero-padding", "random"]).describe(
    "PyTorch's random initialization, with or without a zero vector for <pad>",
  ),
  embeddingStd: number(z.coerce.number().positive()).describe(
    "standard deviation of the initial word embeddings; PyTorch's is 1",
  ),
  featureDropout: probability.describe("dropout on image features"),
  embeddingDropout: probability.describe("dropout on word embeddings"),
  lstmDropout: probability.describe("dropout between LSTM layers"),
  outputDropout: probability.describe("dropout before the output layer"),
  labelSmoothing: probability.describe("label smoothing"),
  scheduledSampling: number(z.coerce.number().min(0).max(1)).describe(
    "scheduled sampling: probability in the last epoch of feeding a sampled token; grows linearly from 0",
  ),
  optimizer: z.enum(["adam", "adamw"]).describe("optimizer"),
  learningRate: rate.describe("peak learning rate, once the encoder is trained"),
  encoderLearningRate: rate.describe("peak learning rate of the encoder"),
  schedule: z.enum(SCHEDULES).describe(
    "learning rate schedule: it covers the epochs with a frozen encoder, and begins again when the encoder is fine-tuned",
  ),
  warmupSteps: count.describe("linear warmup steps; one-cycle has its own"),
  plateauFactor: number(z.coerce.number().gt(0).lt(1)).describe("factor by which plateau lowers the learning rate"),
  plateauPatience: count.describe("epochs without improvement that plateau tolerates"),
  weightDecay: rate.describe("weight decay"),
  encoderWeightDecay: rate.describe("weight decay of the encoder"),
  maxGradientNorm: rate.describe("clip gradients to this L2 norm; 0: never"),
  frozenEpochs: count.describe("first epochs with a frozen encoder, its BatchNorm statistics included"),
  frozenLearningRate: rate.describe("peak learning rate in those epochs"),
  trainableFrom: z.enum(ENCODER_STAGES).describe(
    "first stage of the encoder that is trained; those before stay frozen",
  ),
  batchNorm: z.enum(["batch", "synchronized", "frozen"]).describe(
    "BatchNorm of the trainable layers: batch statistics, synchronized across processes, or frozen running statistics",
  ),
  beamSize: within(BEAM_SIZE_LIMITS).describe("default beam size of the trained model; 1 is greedy"),
  lengthPenalty: number(z.coerce.number().min(0).max(MOST_LENGTH_PENALTY)).describe(
    "default length penalty: beams are compared by log-probability / length^lengthPenalty",
  ),
  objective: z.enum(["cross-entropy", "self-critical"]).describe(
    "cross-entropy with the references, or CIDEr-D of sampled captions (by --self-critical)",
  ),
  samples: positive.describe("captions sampled per image in self-critical training"),
  baseline: z.enum(["greedy", "samples"]).describe(
    "baseline of a sample's reward: the greedy caption's, or the mean of the image's other samples",
  ),
  exportPth: flag.describe("also write the final weights as a PyTorch state dict"),
});
