/**
 * A trained model that writes captions.
 *
 * @module
 */

import { loadModel } from "../checkpoint/model_state.ts";
import type { Images } from "../ffi/batch.ts";
import { Engine } from "../ffi/engine.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import type { RgbImage } from "../pipeline/images/decode_image.ts";
import { orientationOf } from "../pipeline/recipe.ts";
import type { Caption } from "./caption.ts";
import { type ModelMetadata, type OpenModel, openModel, type OpenModelOptions } from "./open_model.ts";
import { writeCaptions } from "./write_captions.ts";

/** Options of {@linkcode Captioner.caption}. */
export interface CaptionOptions {
  /**
   * Captions pursued for each image.
   *
   * @default {the checkpoint's}
   */
  readonly beam?: number | undefined;
}

/** Options of {@linkcode Captioner.load}. */
export interface CaptionerOptions extends EngineOptions, OpenModelOptions {}

/**
 * A model with its words, loaded from a checkpoint. Dispose it with `using`.
 *
 * @example Captioning one photograph
 * ```ts ignore
 * import { Captioner, decodeImage } from "./mod.ts";
 *
 * using captioner = await Captioner.load("runs/first/best.safetensors");
 * const [caption] = await captioner.caption([await decodeImage(await Deno.readFile("dog.jpg"))]);
 * console.log(caption?.caption);
 * ```
 */
export class Captioner implements Disposable {
  /** Its dimensions and settings; a checkpoint's metadata whole. */
  readonly metadata: ModelMetadata;
  /** Whether it was trained on images turned as their cameras noted. */
  readonly orientation: "obeyed" | "ignored";
  readonly #engine: Engine;
  readonly #vocabulary: OpenModel["vocabulary"];

  private constructor(engine: Engine, { metadata, vocabulary }: OpenModel) {
    this.#engine = engine;
    this.metadata = metadata;
    // A first word is the mark of the notebook recipe.
    this.orientation = orientationOf(metadata.decoding.firstWord === undefined ? "lrcn" : "notebook");
    this.#vocabulary = vocabulary;
  }

  /**
   * Loads a checkpoint, or weights with a vocabulary.
   *
   * @param path The file that training wrote; with a vocabulary also a `.pth` of PyTorch or another's `.safetensors`.
   * @param options Where and how to compute, and the file of the words.
   * @returns The captioner.
   * @throws {InputError} If a file is not what it should be, or the library or the device cannot be used.
   */
  static async load(path: string, options: CaptionerOptions = {}): Promise<Captioner> {
    using model = await openModel(path, options);
    const engine = await Engine.open(model.metadata.model, options);
    try {
      await loadModel(engine, model.tensors, { source: path });
      return new Captioner(engine, model);
    } catch (error) {
      engine[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Captions images.
   *
   * @param images Decoded images of any size.
   * @param options See {@linkcode CaptionOptions}.
   * @returns A caption for each.
   * @throws {InputError} If the beam is wider than this model's captions allow.
   */
  async caption(images: readonly RgbImage[], options: CaptionOptions = {}): Promise<Caption[]> {
    if (images.length === 0) return [];
    const features = await this.#engine.encode(await this.#preprocess(images));
    const { decoding, model } = this.metadata;
    return await writeCaptions(this.#engine, features, {
      vocabulary: this.#vocabulary,
      decoding,
      model,
      beam: options.beam,
    });
  }

  /**
   * Scales an image down to the square that its caption is written from, so that many can wait in little memory.
   * Captioning the square gives what captioning the image would.
   *
   * @param image A decoded image of any size.
   * @returns The square.
   */
  async prepare(image: RgbImage): Promise<RgbImage> {
    const { shortSide } = this.metadata.preprocessing;
    const pixels = await this.#engine.resizeCrop(image, shortSide, shortSide);
    return { width: shortSide, height: shortSide, pixels };
  }

  async #preprocess(images: readonly RgbImage[]): Promise<Images> {
    const { imageSize, shortSide } = this.metadata.preprocessing;
    const pixels = new Uint8Array(images.length * imageSize * imageSize * 3);
    for (const [index, image] of images.entries()) {
      // As in training: first the square that the cache holds, then its centre.
      const crop = await this.#engine.resizeCrop(await this.prepare(image), shortSide, imageSize);
      pixels.set(crop, index * crop.length);
    }
    return { count: images.length, height: imageSize, width: imageSize, pixels };
  }

  /** Frees the model. */
  [Symbol.dispose](): void {
    this.#engine[Symbol.dispose]();
  }
}
