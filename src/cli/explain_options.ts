/**
 * The options of `deno task explain`.
 *
 * @module
 */

import type { Command } from "commander";
import { z } from "zod";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { InputError } from "../input_error.ts";
import { addDecodingOptions, parseDecodingOptions } from "./caption_options.ts";
import { wholeNumber } from "./command.ts";
import { addEngineOptions, parseEngineOptions } from "./engine_options.ts";

const schema = z.object({
  checkpoint: z.string().optional(),
  vocabulary: z.string().optional(),
  maxPixels: z.number().optional(),
  caption: z.string().optional(),
  out: z.string().optional(),
  json: z.boolean().default(false),
});

const OUTPUT = `
Output: a line a word, "word probability strength where": how probable the model finds it after the words before it, how
warm its map is beside the warmest of the caption, and the ninth of the square with most of its heat. The square is what
the model sees: the middle of the image. Of each word a picture is written: 01-a.png, 02-dog.png, ...`;

/** What a call of `deno task explain` asks for. */
export interface ExplainCommandOptions extends z.infer<typeof schema> {
  /** How the model computes. */
  readonly engine: EngineOptions;
  /** How the caption is written. */
  readonly decoding: DecodingOptions;
}

/**
 * Adds the options of explaining.
 *
 * @param command The command.
 * @returns The command.
 */
export function addExplainOptions(command: Command): Command {
  command
    .argument("<image>", "an image file")
    .option("--checkpoint <file>", "what training wrote (default: the newest run's best.safetensors)")
    .option("--vocabulary <file>", "words as JSON, for a .pth of PyTorch or another program's .safetensors")
    .option("--max-pixels <n>", "refuse an image of more pixels (default: 50 million)", wholeNumber(1))
    .option("--caption <text>", "explain this sentence (default: the model's own caption)")
    .option("--out <folder>", "where the pictures go (default: explanations/ and the image's name)")
    .option(
      "--json",
      "the maps too: {image, caption, rows, columns, words: [{word, probability, strength, heat, picture}]}",
    );
  return addDecodingOptions(addEngineOptions(command)).addHelpText("after", OUTPUT);
}

/**
 * Reads the options of explaining.
 *
 * @param options What commander parsed.
 * @returns What is asked for.
 * @throws {InputError} If options do not go together.
 */
export function parseExplainOptions(options: Readonly<Record<string, unknown>>): ExplainCommandOptions {
  const parsed = schema.parse(options);
  const decoding = parseDecodingOptions(options);
  if (parsed.caption !== undefined) {
    if (parsed.caption.trim() === "") throw new InputError("Cannot explain: --caption is empty; give a sentence");
    if (Object.values(decoding).some((value) => value !== undefined)) {
      throw new InputError(
        "Cannot explain: --caption gives the words, and other options say how to find them; leave out one of the two",
      );
    }
  }
  return { ...parsed, engine: parseEngineOptions(options), decoding };
}
