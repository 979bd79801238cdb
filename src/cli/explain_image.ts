/**
 * An image file explained: its caption's words, their pictures, and what is said of them.
 *
 * @module
 */

import { encode as encodePng } from "fast-png";
import { join, parse } from "node:path";
import type { Captioner, CaptionOptions } from "../captioning/captioner.ts";
import type { ExplainedWord, Explanation } from "../explanation/explain_words.ts";
import { drawHeat } from "../explanation/draw_heat.ts";
import { roundHeat } from "../explanation/round_heat.ts";
import { warmestPart } from "../explanation/warmest_part.ts";
import { fileErrorReason } from "../files/file_error.ts";
import { printable } from "../printable.ts";
import { writeAtomic } from "../files/write_atomic.ts";
import { InputError } from "../input_error.ts";
import { ImageDecoders } from "../images/image_decoders.ts";

/** Options of {@linkcode explainImage}. */
export interface ExplainImageOptions {
  /**
   * A sentence to explain.
   *
   * @default {the model's own caption}
   */
  readonly caption?: string | undefined;
  /**
   * The most pixels that the image may have.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /**
   * How the caption is written.
   *
   * @default {as the checkpoint says}
   */
  readonly decoding?: CaptionOptions;
}

/** A caption with its explanation. */
export interface ExplainedImage extends Explanation {
  /** The caption. */
  readonly caption: string;
}

/**
 * Captions an image file and explains the caption, or explains a sentence.
 *
 * @param captioner The model.
 * @param path The file.
 * @param options See {@linkcode ExplainImageOptions}.
 * @returns The explanation.
 * @throws {InputError} If the image cannot be decoded, or captioned as the options say, or the sentence has no words.
 */
export async function explainImage(
  captioner: Pick<Captioner, "applyExif" | "prepare" | "caption" | "tokenize" | "explain">,
  path: string,
  options: ExplainImageOptions = {},
): Promise<ExplainedImage> {
  const { caption: given, maxPixels, decoding } = options;
  using decoders = new ImageDecoders({ count: 1 });
  const square = await decoders.decodeThen({ path }, (image) => captioner.prepare(image), {
    applyExif: captioner.applyExif,
    ...(maxPixels !== undefined && { maxPixels }),
  });
  const [written] = given === undefined ? await captioner.caption([square], decoding) : [];
  const tokens = given === undefined ? written?.tokens ?? [] : captioner.tokenize(given);
  if (tokens.length === 0) throw new InputError("Cannot explain: the caption has no words; give one by --caption");
  return { caption: given ?? written?.caption ?? "", ...await captioner.explain(square, tokens) };
}

/** The folder that pictures go to where none is named: `explanations/` and the image's name without its ending. */
export function explanationFolder(image: string): string {
  return join("explanations", fileName(parse(image).name));
}

/**
 * Writes a PNG for each word: its heat map over what the model sees. Files of these names are replaced.
 *
 * @param explanation The words.
 * @param folder Where; it is made if need be.
 * @returns The files' names, a word each: `01-a.png` and so on.
 * @throws {InputError} If the folder cannot be made, or a file not be written.
 */
export async function writePictures(explanation: Explanation, folder: string): Promise<string[]> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot create the folder '${printable(folder)}': ${fileErrorReason(error)}`, {
      cause: error,
    });
  }
  const names: string[] = [];
  for (const { word, heat } of explanation.words) {
    const name = `${String(names.length + 1).padStart(2, "0")}-${fileName(word)}.png`;
    const { width, height, pixels } = drawHeat(heat, explanation);
    await writeAtomic(join(folder, name), [encodePng({ width, height, data: pixels, channels: 3, depth: 8 })]);
    names.push(name);
  }
  return names;
}

/**
 * Puts an explanation into lines: the caption, and a table of its words.
 *
 * @param explained The explanation.
 * @returns The lines.
 */
export function describeExplanation({ caption, words, rows, columns }: ExplainedImage): string[] {
  const names = words.map(({ word }) => printable(word));
  const width = Math.max("word".length, ...names.map(({ length }) => length));
  const lines = words.map(({ probability, strength, heat }, index) => {
    const warmest = warmestPart(heat, { rows, columns });
    const where = warmest === undefined ? "nowhere" : `${warmest.part} ${Math.round(100 * warmest.share)}%`;
    return [
      (names[index] ?? "").padEnd(width),
      probability.toFixed(4).padStart(11),
      strength.toFixed(2).padStart(8),
      where,
    ]
      .join("  ");
  });
  const head = ["word".padEnd(width), "probability", "strength", "where"].join("  ");
  return [printable(caption), "", head, ...lines];
}

/** A word as the JSON output has it. */
export interface WrittenToken extends Omit<ExplainedWord, "heat"> {
  /** Its map, row by row. */
  readonly heat: readonly number[];
  /** The name of its picture. */
  readonly picture: string;
}

/**
 * Puts an explanation into JSON's values, its maps' numbers to four decimals.
 *
 * @param explained The explanation.
 * @param pictures The names of the words' pictures.
 */
export function explanationJson(
  { caption, rows, columns, words }: ExplainedImage,
  pictures: readonly string[],
): { caption: string; rows: number; columns: number; words: WrittenToken[] } {
  const written = words.map(({ word, probability, strength, heat }, index) => ({
    word,
    probability,
    strength,
    heat: roundHeat(heat),
    picture: pictures[index] ?? "",
  }));
  return { caption, rows, columns, words: written };
}

/** Whatever a word or an image is called, a name that no shell and no file system takes for anything else. */
function fileName(text: string): string {
  const plain = text.normalize("NFC").replaceAll(/[^\p{L}\p{M}\p{N}-]+/gu, "_");
  return [...plain].slice(0, 40).join("").replaceAll(/^[_-]+|[_-]+$/g, "") || "word";
}
