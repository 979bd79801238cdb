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
Output: a line "word probability strength where" for each word: its probability after the words before it, the maximum of
its heat map relative to the maximum over the caption, and the ninth of the image with most of its heat. The heat map of
each word, over the center crop that the model sees, is written to 01-a.png, 02-dog.png, ...`;

/** Options of `deno task explain`. */
export interface ExplainCommandOptions extends z.infer<typeof schema> {
  readonly engine: EngineOptions;
  readonly decoding: DecodingOptions;
}

export function addExplainOptions(command: Command): Command {
  command
    .argument("<image>", "an image file")
    .option(
      "--checkpoint <file>",
      "checkpoint, or name of a run (default: the best of the newest run, else the one that ships)",
    )
    .option("--vocabulary <file>", "vocabulary as JSON, for a PyTorch .pth or another program's .safetensors")
    .option("--max-pixels <n>", "reject an image with more pixels (default: 50 million)", wholeNumber(1))
    .option("--caption <text>", "explain this sentence (default: the model's own caption)")
    .option("--out <folder>", "folder for the heat maps (default: explanations/ and the image's name)")
    .option(
      "--json",
      "print the heat maps as well: {image, caption, rows, columns, words: [{word, probability, strength, heat, picture}], model}",
    );
  return addDecodingOptions(addEngineOptions(command)).addHelpText("after", OUTPUT);
}

/** @throws {InputError} If options contradict each other. */
export function parseExplainOptions(options: Readonly<Record<string, unknown>>): ExplainCommandOptions {
  const parsed = schema.parse(options);
  const decoding = parseDecodingOptions(options);
  if (parsed.caption !== undefined) {
    if (parsed.caption.trim() === "") throw new InputError("Cannot explain: --caption is empty; give a sentence");
    if (Object.values(decoding).some((value) => value !== undefined)) {
      throw new InputError(
        "Cannot explain: --caption gives the words, other options say how to generate them; leave out one of the two",
      );
    }
  }
  return { ...parsed, engine: parseEngineOptions(options), decoding };
}
