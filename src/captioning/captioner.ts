import { loadModel } from "../checkpoint/model_state.ts";
import type { Features, Images } from "../ffi/batch.ts";
import { Engine } from "../ffi/engine.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { centerCrop, decodeOptions, resizeImage } from "../images/preprocessing.ts";
import { type ImageInput, openImage } from "../images/decode_image.ts";
import type { DecodeImageOptions, RgbImage } from "../images/rgb_image.ts";
import { findInEitherForm } from "../text/vocabulary.ts";
import { InputError } from "../input_error.ts";
import { collateMasked } from "../ffi/collate.ts";
import { tokenizerOf } from "../text/tokenizer.ts";
import type { Caption } from "./caption.ts";
import type { DecodingOptions } from "./decoding_options.ts";
import { explainWords, type Explanation } from "../explanation/explain_words.ts";
import { type ModelMetadata, type OpenModel, openModel, type OpenModelOptions } from "./open_model.ts";
import { type ModelWithFeatures, writeCaptions, writeCaptionsTogether } from "./write_captions.ts";

/** Options of {@linkcode Captioner.caption}. */
export interface CaptionOptions extends DecodingOptions {
  /**
   * Aborts between images.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal | undefined;
}

/** An image to caption: the path or file URL of a file, its bytes, or its pixels, perhaps resized already. */
export type CaptionInput = Exclude<ImageInput, RgbImage> | PreparedImage;

/** Options of {@linkcode Captioner.load}. */
export interface CaptionerOptions extends EngineOptions, OpenModelOptions {}

/** The result of {@linkcode Captioner.prepare}. */
export interface PreparedImage extends RgbImage {
  /** In an ensemble of several image sizes, the resized image of each model. */
  readonly ofModels?: readonly RgbImage[];
}

interface Member {
  readonly engine: Engine;
  readonly metadata: ModelMetadata;
  readonly vocabulary: OpenModel["vocabulary"];
}

/**
 * A model with its vocabulary, loaded from a checkpoint, or an ensemble of several with the same vocabulary. Dispose it
 * with `using`. Needs `--allow-ffi=native/build/liblrcn.so`, and `--allow-read` of the checkpoint.
 *
 * @example Caption one image
 * ```ts
 * import assert from "node:assert/strict";
 * import { Captioner, decodeImage } from "@lrcn/lrcn";
 *
 * using captioner = await Captioner.load("docs/example/model.safetensors");
 * const image = await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-001.png"));
 * const [caption] = await captioner.caption([image]);
 * assert.match(caption?.text ?? "", /two green circles/);
 * ```
 *
 * @example The three best captions, all with the same beginning
 * ```ts
 * import assert from "node:assert/strict";
 * import { Captioner, decodeImage } from "@lrcn/lrcn";
 *
 * using captioner = await Captioner.load("docs/example/model.safetensors");
 * const image = await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-001.png"));
 * const [best] = await captioner.caption([image], { nBest: 3, prefix: "there are" });
 * assert.equal(best?.text, "there are two green circles on mint");
 * assert.equal(best.alternatives?.length, 2);
 * ```
 */
export class Captioner implements Disposable {
  /** Dimensions and settings: the checkpoint's metadata; in an ensemble, that of the first model. */
  readonly metadata: ModelMetadata;
  /** The options to decode images with, as in training. */
  readonly decodeOptions: DecodeImageOptions;
  readonly #members: readonly Member[];
  readonly #vocabulary: OpenModel["vocabulary"];
  #ids: ReadonlyMap<string, number> | undefined;
  readonly #engines: DisposableStack;

  private constructor(first: Member, members: readonly Member[], engines: DisposableStack) {
    this.metadata = first.metadata;
    const each = members.map(({ metadata: { preprocessing } }) =>
      decodeOptions(preprocessing.shortSide, preprocessing)
    );
    const shortSides = each.map(({ minShortSide = 0 }) => minShortSide);
    // 0 decodes whole images, which is enough for any model.
    const minShortSide = shortSides.includes(0) ? 0 : Math.max(...shortSides);
    this.decodeOptions = { ...each[0], minShortSide };
    this.#vocabulary = first.vocabulary;
    this.#members = members;
    this.#engines = engines;
  }

  /**
   * Loads a checkpoint, or weights with a vocabulary; or several, whose probabilities are averaged at each token. They
   * must have the same vocabulary; their networks and image sizes may differ.
   *
   * @param path A file written by training; with a vocabulary also a `.pth` of PyTorch or another program's
   * `.safetensors`. Or several such files.
   * @throws {InputError} If a file is not valid, the vocabularies differ, or the library or the device cannot be used.
   * @throws {TypeError} If the list is empty.
   *
   * @example An ensemble of two models, here twice the same
   * ```ts
   * import assert from "node:assert/strict";
   * import { Captioner, decodeImage } from "@lrcn/lrcn";
   *
   * const path = "docs/example/model.safetensors";
   * using captioner = await Captioner.load([path, path], { device: "cpu", precision: "fp32" });
   * assert.equal(captioner.models, 2);
   * const image = await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-007.png"));
   * const [caption] = await captioner.caption([image]);
   * assert.match(caption?.text ?? "", /blue circle/);
   * ```
   */
  static async load(path: string | readonly string[], options: CaptionerOptions = {}): Promise<Captioner> {
    const paths = typeof path === "string" ? [path] : path;
    using opened = new DisposableStack();
    const models: OpenModel[] = [];
    for (const path of paths) models.push(opened.use(await openModel(path, options)));
    return await Captioner.fromModels(models, options);
  }

  /** @ignore For tasks that have opened the files already; the models stay open. */
  static async fromModels(models: readonly OpenModel[], options: EngineOptions): Promise<Captioner> {
    checkTogether(models);
    using engines = new DisposableStack();
    const members: Member[] = [];
    for (const { path, metadata, vocabulary, tensors } of models) {
      const engine = engines.use(await Engine.open(metadata.model, { ...options, initialization: "zero" }));
      await loadModel(engine, tensors, { source: path });
      members.push({ engine, metadata, vocabulary });
    }
    const [first] = members;
    if (first === undefined) throw new TypeError("Cannot load a captioner: no checkpoint is named");
    return new Captioner(first, members, engines.move());
  }

  /**
   * Captions an image, or several, which is faster than one by one.
   *
   * @param images Images of any size; or, for a single model, the result of {@linkcode Captioner.encode}.
   * @returns A caption for each; with `nBest` over 1 its `alternatives` are the others, best first.
   * @throws {ImageError} If an image cannot be read or decoded.
   * @throws {InputError} If no caption can satisfy the options, or this model does not support one.
   * @throws {RangeError} If an option is out of its range.
   *
   * @example Caption a file
   * ```ts
   * import assert from "node:assert/strict";
   * import { Captioner } from "@lrcn/lrcn";
   *
   * using captioner = await Captioner.load("docs/example/model.safetensors");
   * const { text } = await captioner.caption("docs/example/scenes/Images/item-001.png");
   * assert.match(text, /two green circles/);
   * ```
   *
   * @example Sample captions; the same seed gives the same captions
   * ```ts
   * import assert from "node:assert/strict";
   * import { Captioner, decodeImage } from "@lrcn/lrcn";
   *
   * using captioner = await Captioner.load("docs/example/model.safetensors");
   * const image = await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-000.png"));
   * const options = { nBest: 2, sampling: { seed: 7, temperature: 0.8 } };
   * assert.deepEqual(await captioner.caption([image], options), await captioner.caption([image], options));
   * ```
   */
  async caption(image: CaptionInput, options?: CaptionOptions): Promise<Caption>;
  /** Captions several images. */
  async caption(images: readonly CaptionInput[] | Features, options?: CaptionOptions): Promise<Caption[]>;
  async caption(
    input: CaptionInput | readonly CaptionInput[] | Features,
    { signal, ...options }: CaptionOptions = {},
  ): Promise<Caption | Caption[]> {
    signal?.throwIfAborted();
    if (isFeatures(input)) {
      const { engine, metadata: { model, decoding } } = this.#only("caption features");
      return await writeCaptions(engine, input, { ...options, vocabulary: this.#vocabulary, decoding, model });
    }
    const images = isList(input) ? input : [input];
    const opened = await Promise.all(images.map((image) => openImage(image, this.decodeOptions)));
    signal?.throwIfAborted();
    const captions = await this.#captionImages(opened, options);
    const [first] = captions;
    return isList(input) || first === undefined ? captions : first;
  }

  async #captionImages(images: readonly PreparedImage[], options: DecodingOptions): Promise<Caption[]> {
    if (images.length === 0) return [];
    const { decoding } = this.metadata;
    let keys: readonly number[] | undefined;
    const models: ModelWithFeatures[] = [];
    for (const [index, member] of this.#members.entries()) {
      const { engine, metadata: { model } } = member;
      const input = await this.#preprocess(images, member, index);
      if (options.sampling !== undefined) keys ??= imageKeys(input);
      models.push({ engine, model, features: await engine.encode(input) });
    }
    const writing = { ...options, vocabulary: this.#vocabulary, decoding, keys };
    const [only, ...others] = models;
    if (only === undefined || others.length > 0) return await writeCaptionsTogether(models, writing);
    return await writeCaptions(only.engine, only.features, { ...writing, model: only.model });
  }

  /**
   * Runs the CNN, so that the features can be used several times.
   *
   * @param images Decoded images of any size.
   * @returns The features, `count` x 32 times the CNN's width.
   * @throws {TypeError} If this is an ensemble.
   *
   * @example Decode twice, encode once
   * ```ts
   * import assert from "node:assert/strict";
   * import { Captioner, decodeImage } from "@lrcn/lrcn";
   *
   * using captioner = await Captioner.load("docs/example/model.safetensors");
   * const image = await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-004.png"));
   * const features = await captioner.encode([image]);
   * const [greedy] = await captioner.caption(features, { beamSize: 1 });
   * const [searched] = await captioner.caption(features, { beamSize: 10 });
   * assert((searched?.logProbability ?? NaN) >= (greedy?.logProbability ?? NaN));
   * ```
   */
  async encode(images: readonly PreparedImage[]): Promise<Features> {
    const member = this.#only("encode images");
    return await member.engine.encode(await this.#preprocess(images, member, 0));
  }

  /**
   * Computes the log-probability of captions.
   *
   * @param features The result of {@linkcode Captioner.encode}.
   * @param captions For each image, captions as {@linkcode Captioner.encodeCaption} returns them.
   * @returns For each caption, image by image, the natural logarithm of its probability, `<end>` included.
   * @throws {RangeError} If there is not one list of captions for each image, or there is no caption.
   * @throws {TypeError} If this is an ensemble.
   *
   * @example Which of two sentences fits
   * ```ts
   * import assert from "node:assert/strict";
   * import { Captioner, decodeImage } from "@lrcn/lrcn";
   *
   * using captioner = await Captioner.load("docs/example/model.safetensors");
   * const features = await captioner.encode([
   *   await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-000.png")),
   * ]);
   * const sentences = ["there is a blue square on orange", "there is a red circle on white"];
   * const [right = NaN, wrong = NaN] = await captioner.score(features, [
   *   sentences.map((sentence) => captioner.encodeCaption(sentence)),
   * ]);
   * assert(right > wrong);
   * ```
   */
  async score(features: Features, captions: readonly (readonly Int32Array[])[]): Promise<Float64Array> {
    return await this.#only("score captions").engine.score(collateMasked(features, captions));
  }

  /**
   * Encodes a caption as in training: `<start>`, at most the checkpoint's maximum length, `<end>`.
   *
   * @returns The token ids; 1 (`<unk>`) for words not in the vocabulary.
   * @throws {InputError} If the model's captions have no start and end, as in the notebook recipe.
   *
   * @example A word that the model does not know
   * ```ts
   * import assert from "node:assert/strict";
   * import { Captioner } from "@lrcn/lrcn";
   *
   * using captioner = await Captioner.load("docs/example/model.safetensors");
   * const words = [...captioner.encodeCaption("a purple circle")].map((id) => captioner.metadata.vocabulary[id]);
   * assert.deepEqual(words, ["<start>", "a", "<unk>", "circle", "<end>"]);
   * ```
   */
  encodeCaption(caption: string): Int32Array<ArrayBuffer> {
    const { start, end, unknown = -1 } = this.#vocabulary;
    if (start === undefined || end === undefined) {
      throw new InputError("Cannot score captions: the model is of the notebook recipe, whose captions have no end");
    }
    const ids = this.#idOfWord();
    const idOf = (token: string) => findInEitherForm(token, (form) => ids.get(form)) ?? unknown;
    return Int32Array.of(start, ...this.tokenize(caption).map(idOf), end);
  }

  /**
   * Tokenizes a text as in training, cut to the checkpoint's maximum length.
   *
   * @returns The tokens, in the vocabulary or not.
   *
   * @example Tokenize a sentence
   * ```ts
   * import assert from "node:assert/strict";
   * import { Captioner } from "@lrcn/lrcn";
   *
   * using captioner = await Captioner.load("docs/example/model.safetensors");
   * assert.deepEqual(captioner.tokenize("A red circle."), ["a", "red", "circle", "."]);
   * ```
   */
  tokenize(caption: string): string[] {
    const { tokenizer = "nltk", maxLength } = this.metadata.decoding;
    return tokenizerOf(tokenizer)(caption).slice(0, maxLength);
  }

  /**
   * Computes a heat map for each word of a caption: Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391) on
   * the CNN's last convolution.
   *
   * @param image A decoded image of any size, or the result of {@linkcode Captioner.prepare}.
   * @param tokens A caption's `tokens`, or the result of {@linkcode Captioner.tokenize}. Tokens that are not in the
   * vocabulary are explained as `<unk>`.
   * @throws {InputError} If there are more than 100 tokens.
   * @throws {TypeError} If this is an ensemble.
   *
   * @example The heat map of each word
   * ```ts
   * import assert from "node:assert/strict";
   * import { Captioner, decodeImage } from "@lrcn/lrcn";
   *
   * using captioner = await Captioner.load("docs/example/model.safetensors");
   * const image = await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-000.png"));
   * const [caption] = await captioner.caption([image]);
   * const { words, rows, columns } = await captioner.explain(image, caption?.tokens ?? []);
   * assert.deepEqual(words.map(({ word }) => word), caption?.tokens);
   * for (const { heat } of words) assert.equal(heat.length, rows * columns); // 1 x 1 of 32 pixels, 7 x 7 of 224
   * ```
   */
  async explain(image: PreparedImage, tokens: readonly string[]): Promise<Explanation> {
    const member = this.#only("explain a caption");
    const { engine, vocabulary, metadata: { decoding } } = member;
    const images = await this.#preprocess([image], member, 0);
    return await explainWords(engine, images, { tokens, ids: this.#idOfWord(), vocabulary, decoding });
  }

  #idOfWord(): ReadonlyMap<string, number> {
    return this.#ids ??= new Map(this.#vocabulary.words.map((word, id) => [word, id]));
  }

  #only(purpose: string): Member {
    const [only, ...others] = this.#members;
    if (only === undefined || others.length > 0) {
      throw new TypeError(`Cannot ${purpose}: ${this.#members.length} models form an ensemble; load one`);
    }
    return only;
  }

  /** Number of models in the ensemble; 1 for a single model. */
  get models(): number {
    return this.#members.length;
  }

  /**
   * Resizes an image to the size that its caption is computed from, so that many can wait in little memory. Captioning
   * the resized image gives the same caption.
   *
   * @param image A decoded image of any size.
   * @returns The resized image; each side is the `shortSide` of the model's preprocessing.
   *
   * @example Keep an image of 2 MB as one of 4 KB
   * ```ts
   * import assert from "node:assert/strict";
   * import { Captioner } from "@lrcn/lrcn";
   *
   * using captioner = await Captioner.load("docs/example/model.safetensors");
   * const resized = await captioner.prepare({ width: 1024, height: 682, pixels: new Uint8Array(682 * 1024 * 3) });
   * assert.deepEqual([resized.width, resized.height, resized.pixels.length], [37, 37, 37 * 37 * 3]);
   * const [caption] = await captioner.caption([resized]);
   * assert.equal(typeof caption?.text, "string");
   * ```
   */
  async prepare(image: RgbImage): Promise<PreparedImage> {
    const bySize = new Map<string, RgbImage>();
    const ofModels: RgbImage[] = [];
    for (const { engine, metadata: { preprocessing } } of this.#members) {
      const size = `${preprocessing.shortSide} ${preprocessing.resize}`;
      const resized = bySize.get(size) ?? await resizeImage(engine, image, preprocessing);
      bySize.set(size, resized);
      ofModels.push(resized);
    }
    const [first = image] = ofModels;
    return bySize.size > 1 ? { ...first, ofModels } : first;
  }

  /** As in training: the resized image that the cache holds, then its center crop. */
  async #preprocess(images: readonly PreparedImage[], member: Member, index: number): Promise<Images> {
    const { engine, metadata: { preprocessing } } = member;
    const { imageSize } = preprocessing;
    const bytes = imageSize * imageSize * 3;
    const pixels = new Uint8Array(images.length * bytes);
    for (const [at, image] of images.entries()) {
      const resized = image.ofModels?.[index] ?? await resizeImage(engine, image, preprocessing);
      centerCrop(resized.pixels, pixels.subarray(at * bytes, (at + 1) * bytes));
    }
    return { count: images.length, height: imageSize, width: imageSize, pixels };
  }

  /** Frees the models. */
  [Symbol.dispose](): void {
    this.#engines[Symbol.dispose]();
  }
}

function isFeatures(input: CaptionInput | readonly CaptionInput[] | Features): input is Features {
  return typeof input === "object" && "count" in input && "values" in input && input.values instanceof Float32Array;
}

function isList(input: CaptionInput | readonly CaptionInput[]): input is readonly CaptionInput[] {
  return Array.isArray(input);
}

/** Fails if models cannot form an ensemble. */
function checkTogether(models: readonly OpenModel[]): void {
  const [first] = models;
  if (first === undefined || models.length < 2) return;
  for (const model of models) {
    const refuse = (reason: string) =>
      new InputError(`Cannot caption with '${model.path}' and '${first.path}' together: ${reason}`);
    if (model.metadata.decoding.firstWord !== undefined) {
      throw refuse(`'${model.path}' is of the notebook recipe, which does not support ensembles`);
    }
    const { words } = model.vocabulary;
    const difference = first.vocabulary.words.findIndex((word, id) => word !== words[id]);
    if (difference >= 0 || words.length !== first.vocabulary.words.length) {
      throw refuse("their vocabularies differ; name models that were trained on the same split of the same captions");
    }
    const tokenizers = [first, model].map(({ metadata }) => metadata.decoding.tokenizer ?? "nltk");
    if (tokenizers[0] !== tokenizers[1]) throw refuse("their tokenizers differ; name models of one tokenizer");
  }
}

/** FNV-1a of each image's pixels: an image gets the same samples at any position in a batch. */
function imageKeys({ count, pixels }: Images): number[] {
  const size = pixels.length / count;
  return Array.from({ length: count }, (_, image) => {
    let hash = 0x811c9dc5;
    for (const value of pixels.subarray(image * size, (image + 1) * size)) hash = Math.imul(hash ^ value, 0x01000193);
    return hash >>> 0;
  });
}
