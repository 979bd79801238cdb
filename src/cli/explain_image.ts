import { encodePng } from "../images/encode_png.ts";
import { join, parse } from "node:path";
import type { Captioner, CaptionOptions } from "../captioning/captioner.ts";
import { prepareFile } from "../captioning/prepared_batches.ts";
import type { ExplainedWord, Explanation } from "../explanation/explain_words.ts";
import { drawHeat } from "../explanation/draw_heat.ts";
import { roundHeat } from "../explanation/round_heat.ts";
import { warmestPart } from "../explanation/warmest_part.ts";
import { createFolder } from "../files/create_folder.ts";
import { printable } from "../printable.ts";
import { writeAtomic } from "../files/write_atomic.ts";
import { InputError } from "../input_error.ts";
import { ImageDecoders } from "../images/image_decoders.ts";

/** Options of {@linkcode explainImage}. */
export interface ExplainImageOptions {
  /**
   * The sentence to explain.
   *
   * @default {the model's own caption}
   */
  readonly caption?: string | undefined;
  /**
   * Maximum number of pixels.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /**
   * How to generate the caption.
   *
   * @default {the checkpoint's decoding options}
   */
  readonly decoding?: CaptionOptions;
}

/** A caption with its explanation. */
export interface ExplainedImage extends Explanation {
  readonly caption: string;
}

/**
 * Explains the caption of an image file, or a given sentence.
 *
 * @throws {InputError} If the image cannot be decoded or captioned with these options, or the sentence has no words.
 */
export async function explainImage(
  captioner: Pick<Captioner, "decodeOptions" | "prepare" | "caption" | "tokenize" | "explain">,
  path: string,
  options: ExplainImageOptions = {},
): Promise<ExplainedImage> {
  const { caption: given, maxPixels, decoding } = options;
  using decoders = new ImageDecoders({ count: 1 });
  const image = await prepareFile(captioner, { path }, { decoders, maxPixels });
  const [generated] = given === undefined ? await captioner.caption([image], decoding) : [];
  const tokens = given === undefined ? generated?.tokens ?? [] : captioner.tokenize(given);
  if (tokens.length === 0) {
    throw new InputError("Cannot explain: the caption has no words; give a sentence with --caption");
  }
  return { caption: given ?? generated?.text ?? "", ...await captioner.explain(image, tokens) };
}

/** The default folder for heat maps: `explanations/` and the image's name without its extension. */
export function explanationFolder(image: string): string {
  return join("explanations", fileName(parse(image).name));
}

/**
 * Writes each word's heat map over the center crop that the model sees, as `01-a.png` and so on, and returns the names.
 * Files with these names are replaced.
 *
 * @throws {InputError} If the folder cannot be created, or a file cannot be written.
 */
export async function writeHeatMaps(explanation: Explanation, folder: string): Promise<string[]> {
  await createFolder(folder);
  const names: string[] = [];
  for (const { word, heat } of explanation.words) {
    const name = `${String(names.length + 1).padStart(2, "0")}-${fileName(word)}.png`;
    const { width, height, pixels } = drawHeat(heat, explanation);
    await writeAtomic(join(folder, name), [encodePng({ width, height, pixels })]);
    names.push(name);
  }
  return names;
}

/** Formats an explanation as lines: the caption, and a table of its words. */
export function describeExplanation({ caption, words, rows, columns }: ExplainedImage): string[] {
  const names = words.map(({ word }) => printable(word));
  const width = Math.max("word".length, ...names.map(({ length }) => length));
  const lines = words.map(({ probability, strength, heat }, index) => {
    const warmest = warmestPart(heat, { rows, columns });
    const where = warmest === undefined ? "nowhere" : `${warmest.part} ${Math.round(100 * warmest.fraction)}%`;
    const numbers = [probability.toFixed(4).padStart(11), strength.toFixed(2).padStart(8), where];
    return [(names[index] ?? "").padEnd(width), ...numbers].join("  ");
  });
  const head = ["word".padEnd(width), "probability", "strength", "where"].join("  ");
  return [printable(caption), "", head, ...lines];
}

/** A word in the JSON output. */
export interface ExplainedWordJson extends Omit<ExplainedWord, "heat"> {
  /** The heat map, row by row. */
  readonly heat: readonly number[];
  /** The file name of the heat map. */
  readonly picture: string;
}

/** Converts an explanation to JSON values; heat has four decimals. */
export function explanationJson(
  { caption, rows, columns, words }: ExplainedImage,
  files: readonly string[],
): { caption: string; rows: number; columns: number; words: ExplainedWordJson[] } {
  const wordsJson = words.map(({ word, probability, strength, heat }, index) => ({
    word,
    probability,
    strength,
    heat: roundHeat(heat),
    picture: files[index] ?? "",
  }));
  return { caption, rows, columns, words: wordsJson };
}

/** A file name, safe for shells and file systems, from any text. */
function fileName(text: string): string {
  const plain = text.normalize("NFC").replaceAll(/[^\p{L}\p{M}\p{N}-]+/gu, "_");
  return [...plain].slice(0, 40).join("").replaceAll(/^[_-]+|[_-]+$/g, "") || "word";
}
