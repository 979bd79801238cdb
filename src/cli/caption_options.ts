/**
 * The options of `deno task caption`, those of decoding for any task that writes captions.
 *
 * @module
 */

import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import { InputError } from "../input_error.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { wholeNumber } from "./command.ts";
import { addEngineOptions, parseEngineOptions } from "./engine_options.ts";

const decodingSchema = z.object({
  beam: z.number().optional(),
  nBest: z.number().optional(),
  lengthPenalty: z.number().optional(),
  beamGroups: z.number().optional(),
  diversityPenalty: z.number().optional(),
  sample: z.boolean().optional(),
  temperature: z.number().optional(),
  topK: z.number().optional(),
  topP: z.number().optional(),
  seed: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  blockNgrams: z.number().optional(),
  with: z.array(z.string()).optional(),
  without: z.array(z.string()).optional(),
  begin: z.string().optional(),
  anyEnding: z.boolean().optional(),
});

const captionSchema = z.object({
  checkpoint: z.array(z.string()).default([]),
  vocabulary: z.string().optional(),
  recursive: z.boolean().default(false),
  maxPixels: z.number().optional(),
  json: z.boolean().default(false),
  jsonl: z.boolean().default(false),
});

const OUTPUT = `
Output: of one image the caption; of several, of a folder or a list a line "image<TAB>caption" each. With --n-best a
line a caption: "image<TAB>rank<TAB>log-probability<TAB>caption", without the image where there is but one.
Exit code 1 where an image could not be captioned; the others are.`;

/** What a call of `deno task caption` asks for. */
export interface CaptionCommandOptions extends Omit<z.infer<typeof captionSchema>, "json" | "jsonl"> {
  /** How the model computes. */
  readonly engine: EngineOptions;
  /** How captions are printed. */
  readonly format: "text" | "json" | "jsonl";
  /** How captions are written. */
  readonly decoding: DecodingOptions;
}

/**
 * Adds the options of captioning.
 *
 * @param command The command.
 * @returns The command.
 */
export function addCaptionOptions(command: Command): Command {
  command
    .argument("<image...>", "image files, folders of them, or - for standard input: an image, or paths, one a line")
    .option("-r, --recursive", "look through folders in folders")
    .option(
      "--checkpoint <file>",
      "what training wrote; several times for an ensemble (default: the newest run's best.safetensors)",
      collect,
    )
    .option("--vocabulary <file>", "words as JSON, for a .pth of PyTorch or another program's .safetensors")
    .option("--max-pixels <n>", "refuse images of more pixels (default: 50 million)", wholeNumber(1))
    .option("--json", "an array of {image, caption, logProbability, tokens}, with --n-best also alternatives")
    .addOption(new Option("--jsonl", "the same objects, one a line").conflicts("json"));
  return addDecodingOptions(addEngineOptions(command)).addHelpText("after", OUTPUT);
}

/**
 * Adds the options of decoding to a command.
 *
 * @param command The command.
 * @returns The command.
 */
export function addDecodingOptions(command: Command): Command {
  const positive = number((value) => value > 0, "a number over 0");
  const notNegative = number((value) => value >= 0, "a number, 0 or more");
  const share = number((value) => value > 0 && value <= 1, "a number over 0, at most 1");
  const searching = ["beam", "lengthPenalty", "beamGroups", "diversityPenalty"];
  const drawing = (flags: string, text: string) => new Option(flags, text).implies({ sample: true });
  return command
    .option("--beam <n>", "beam size (default: the checkpoint's); 1 is greedy", wholeNumber(1))
    .option("--n-best <n>", "captions of each image, best first (default: 1)", wholeNumber(1))
    .option(
      "--length-penalty <p>",
      "favor longer captions: compare log-probability / length^p, 0 to 1 or more (default: 0)",
      notNegative,
    )
    .option("--beam-groups <n>", "diverse beam search: number of beam groups (default: 1)", wholeNumber(1))
    .option(
      "--diversity-penalty <x>",
      "penalty for a token of an earlier group, in nats (default: 0.5; needs --beam-groups)",
      notNegative,
    )
    .addOption(new Option("--sample", "draw captions at random").conflicts(searching))
    .addOption(drawing("--temperature <t>", "under 1 for likelier words (default: 1)").argParser(positive))
    .addOption(drawing("--top-k <n>", "draw from the n most probable words (default: all)").argParser(wholeNumber(1)))
    .addOption(
      drawing("--top-p <p>", "draw from the fewest words that have this share together (default: 1, all)").argParser(
        share,
      ),
    )
    .addOption(drawing("--seed <n>", "decides what is drawn (default: 0)").argParser(wholeNumber(0)))
    .option("--min-length <n>", "minimum caption length in tokens (default: 1)", wholeNumber(1))
    .option("--max-length <n>", "maximum caption length in tokens (default: the checkpoint's)", wholeNumber(1))
    .option("--block-ngrams <n>", "no n words in a row come twice (default: 0, they may)", wholeNumber(0))
    .option("--with <word>", "a word that each caption holds; may be given several times", collect)
    .option("--without <word>", "a word that no caption holds; may be given several times", collect)
    .option("--begin <text>", "what each caption begins with")
    .option("--any-ending", 'let captions end in "a", "the", "of" and the like');
}

/**
 * Reads the options of captioning.
 *
 * @param options What commander parsed.
 * @returns What is asked for.
 * @throws {InputError} If options do not go together.
 */
export function parseCaptionOptions(options: Readonly<Record<string, unknown>>): CaptionCommandOptions {
  const { json, jsonl, ...others } = captionSchema.parse(options);
  const format = json ? "json" : jsonl ? "jsonl" : "text";
  return { ...others, engine: parseEngineOptions(options), format, decoding: parseDecodingOptions(options) };
}

/**
 * Reads the options of decoding.
 *
 * @param options What commander parsed.
 * @returns How captions are written.
 * @throws {InputError} If options do not go together.
 */
export function parseDecodingOptions(options: Readonly<Record<string, unknown>>): DecodingOptions {
  const parsed = decodingSchema.parse(options);
  const {
    beam,
    blockNgrams,
    beamGroups: numBeamGroups,
    diversityPenalty,
    sample,
    temperature,
    topK,
    topP,
    seed,
    begin,
    anyEnding,
    ...others
  } = parsed;
  if (diversityPenalty !== undefined && numBeamGroups === undefined) {
    throw new InputError("Cannot write diverse captions: --diversity-penalty needs --beam-groups");
  }
  const { with: forced, without: forbidden, ...numbers } = others;
  return {
    ...numbers,
    beamSize: beam,
    noRepeatNgramSize: blockNgrams,
    forced,
    forbidden,
    prefix: begin,
    ...(numBeamGroups !== undefined && { diversity: { numBeamGroups, diversityPenalty } }),
    ...(sample && { sampling: { temperature, topK, topP, seed } }),
    ...(anyEnding && { badEndings: [] }),
  };
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function number(fits: (value: number) => boolean, what: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^-?[\d.]/.test(text) && Number.isFinite(value) && fits(value)) return value;
    throw new InvalidArgumentError(`It must be ${what}.`);
  };
}
