import type { DecodingSettings } from "../checkpoint/checkpoint.ts";
import type { Features } from "../ffi/batch.ts";
import type { Engine } from "../ffi/engine.ts";
import type { ModelSettings } from "../ffi/settings.ts";
import { InputError } from "../input_error.ts";
import { type CaptionVocabulary, UNKNOWN } from "../text/vocabulary.ts";
import { beamSearch } from "./beam_search.ts";
import type { Caption, TokenSequence } from "./caption.ts";
import { captionConstraints } from "./caption_constraints.ts";
import type { DecodingOptions } from "./decoding_options.ts";
import { detokenize } from "../text/detokenize.ts";
import { diverseBeamSearch } from "./diverse_beam_search.ts";
import { ensembleStep } from "./ensemble.ts";
import { type DecodeStep, noCaption, type SearchOptions, withImagesFirst } from "./hypotheses.ts";
import { notebookSearch } from "./notebook_search.ts";
import { sample } from "./sample.ts";

/** Options that the notebook's greedy search does not support. */
const BEYOND_GREEDY = [
  "lengthPenalty",
  "diversity",
  "sampling",
  "minLength",
  "noRepeatNgramSize",
  "forced",
  "forbidden",
  "prefix",
  "badEndings",
] as const;

/** Options of {@linkcode writeCaptionsTogether}. */
export interface WriteTogetherOptions extends DecodingOptions {
  /** The vocabulary. */
  readonly vocabulary: CaptionVocabulary;
  /** The checkpoint's decoding settings. */
  readonly decoding: DecodingSettings;
  /**
   * A key for each image, an integer from 0 to 2^32 - 1, that selects its random stream together with the seed.
   *
   * @default {its index}
   */
  readonly keys?: readonly number[] | undefined;
}

/** Options of {@linkcode writeCaptions}. */
export interface WriteCaptionsOptions extends WriteTogetherOptions {
  /** The model's settings. */
  readonly model: Pick<ModelSettings, "inject" | "vocabularySize">;
}

/** A model with the features of the images to caption. */
export interface ModelWithFeatures {
  /** The model. */
  readonly engine: Pick<Engine, "startDecoding">;
  /** The features of the images. */
  readonly features: Features;
  /** The model's settings. */
  readonly model: Pick<ModelSettings, "inject" | "vocabularySize">;
}

/**
 * Captions images as the options say; with greedy search if the model's captions begin with a given word (notebook).
 *
 * @returns A caption for each image, in order.
 * @throws {InputError} If no caption can satisfy the options, or the vocabulary lacks a special token.
 * @throws {RangeError} If a number is out of its range.
 */
export async function writeCaptions(
  engine: Pick<Engine, "startDecoding">,
  features: Features,
  options: WriteCaptionsOptions,
): Promise<Caption[]> {
  const { model, decoding: { firstWord } } = options;
  if (firstWord === undefined) return await writeCaptionsTogether([{ engine, features, model }], options);
  return toCaptions(await searchGreedily(engine, features, { ...options, firstWord }), options);
}

/**
 * Captions images with one model or an ensemble, whose probabilities are averaged.
 *
 * @param models At least one, all with the same vocabulary.
 * @returns A caption for each image, in order.
 * @throws {InputError} If no caption can satisfy the options, or the vocabulary lacks a special token.
 * @throws {RangeError} If a number is out of its range.
 */
export async function writeCaptionsTogether(
  models: readonly ModelWithFeatures[],
  options: WriteTogetherOptions,
): Promise<Caption[]> {
  // Fail before anything is computed.
  const constraints = captionConstraints(options.vocabulary, options.decoding, options);
  const images = models[0]?.features.count ?? 0;
  using decodings = new DisposableStack();
  const members: { readonly step: DecodeStep; readonly vocabularySize: number }[] = [];
  for (const { engine, features, model } of models) {
    const decoding = decodings.use(await engine.startDecoding(features));
    const step: DecodeStep = (parents, tokens, k) => decoding.step(parents, tokens, k);
    members.push({ ...model, step: model.inject === "first" ? withImagesFirst(step, images) : step });
  }
  const [first, ...others] = members;
  if (first === undefined) throw new TypeError("Cannot write captions: there is no model");
  const found = await search(others.length === 0 ? first.step : ensembleStep(members), options, {
    images,
    start: options.vocabulary.start ?? -1,
    vocabularySize: Math.min(...members.map(({ vocabularySize }) => vocabularySize)),
    constraints,
  });
  return toCaptions(found, options);
}

async function search(
  step: DecodeStep,
  options: WriteTogetherOptions,
  common: SearchOptions,
): Promise<readonly (readonly TokenSequence[])[]> {
  const { nBest = 1, lengthPenalty = options.decoding.lengthPenalty, diversity, sampling, keys } = options;
  if (sampling !== undefined) {
    const sampled = await sample(step, { ...common, ...sampling, seed: sampling.seed ?? 0, samples: nBest, keys });
    return sampled.map((captions) => captions.toSorted((a, b) => b.logProbability - a.logProbability));
  }
  const asked = options.beamSize ?? options.decoding.beamSize;
  const beamSize = nBest > 1 ? Math.max(asked, nBest) : asked;
  if (diversity === undefined) return await beamSearch(step, { ...common, beamSize, nBest, lengthPenalty });
  const { numBeamGroups } = diversity;
  const widened = numBeamGroups >= 1 ? Math.ceil(beamSize / numBeamGroups) * numBeamGroups : beamSize;
  return await diverseBeamSearch(step, { ...common, ...diversity, beamSize: widened, nBest, lengthPenalty });
}

async function searchGreedily(
  engine: Pick<Engine, "startDecoding">,
  features: Features,
  options: WriteCaptionsOptions & { readonly firstWord: string },
): Promise<TokenSequence[][]> {
  const { vocabulary: { words, pad, unknown }, decoding, firstWord, maxLength = decoding.maxLength } = options;
  refuseBeyondGreedy(options);
  if (pad === undefined) throw new InputError("Cannot caption: the vocabulary has no <pad>, which ends a caption");
  const first = words.indexOf(firstWord);
  using steps = await engine.startDecoding(features);
  const captions = await notebookSearch((parents, tokens, k) => steps.step(parents, tokens, k), {
    images: features.count,
    firstToken: first < 0 ? unknown ?? pad : first,
    padding: pad,
    maxLength,
  });
  return captions.map((caption) => [caption]);
}

function refuseBeyondGreedy(options: DecodingOptions): void {
  const { beamSize = 1, nBest = 1 } = options;
  const reason = "a model of the notebook recipe supports greedy search only";
  if (beamSize !== 1) throw new InputError(`Cannot search with beam size ${beamSize}: ${reason}; use --beam 1`);
  if (nBest !== 1) throw new InputError(`Cannot write ${nBest} captions of an image: ${reason}; ask for one`);
  for (const name of BEYOND_GREEDY) {
    if (options[name] === undefined) continue;
    throw new InputError(`Cannot write captions with '${name}': ${reason}; remove it`);
  }
}

function toCaptions(
  found: readonly (readonly TokenSequence[])[],
  { vocabulary, decoding, nBest = 1 }: WriteTogetherOptions,
): Caption[] {
  const { words: known, unknown } = vocabulary;
  return found.map((sequences) => {
    const [best, ...alternatives] = sequences.map(({ tokens: ids, logProbability }): Caption => {
      // The output layer may be larger than the vocabulary; ids beyond it were never trained.
      const tokens = ids.map((id) => known[id] ?? known[unknown ?? -1] ?? UNKNOWN);
      return { text: detokenize(tokens, { tokenizer: decoding.tokenizer ?? "nltk" }), logProbability, tokens };
    });
    if (best === undefined) throw noCaption();
    return nBest > 1 ? { ...best, alternatives } : best;
  });
}
