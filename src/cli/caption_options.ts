import { type Command, InvalidArgumentError, Option } from "commander";
import { extname } from "node:path";
import { z } from "zod";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import { SIDECAR_KINDS } from "../captioning/sidecars.ts";
import { InputError } from "../input_error.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { collect, wholeNumber } from "./command.ts";
import { addEngineOptions, parseEngineOptions } from "./engine_options.ts";
import type { CaptionOutputOptions } from "./print_captions.ts";

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
  out: z.string().optional(),
  sidecar: z.enum(SIDECAR_KINDS).optional(),
  force: z.boolean().default(false),
});

const OUTPUT = `
Output: for one image, its caption; for several images, a folder or a list, a line "image<TAB>caption" for each. With
--n-best, a line "image<TAB>rank<TAB>log-probability<TAB>caption" for each caption, without "image" if there is only one.
If an image cannot be captioned, the others still are, and the exit code is 1.`;

/** Options of `deno task caption`. */
export interface CaptionCommandOptions extends Omit<z.infer<typeof captionSchema>, "json" | "jsonl"> {
  readonly engine: EngineOptions;
  /** Of `out`, or else of standard output. */
  readonly format: CaptionOutputOptions["format"];
  readonly decoding: DecodingOptions;
}

export function addCaptionOptions(command: Command): Command {
  command
    .argument("<image...>", "image files, folders, or - for standard input: an image, or paths, one a line")
    .option("-r, --recursive", "search folders recursively")
    .option(
      "--checkpoint <file>",
      "checkpoint, or name of a run; repeat for an ensemble (default: the best of the newest run, else the one that ships)",
      collect,
    )
    .option("--vocabulary <file>", "vocabulary as JSON, for a PyTorch .pth or another program's .safetensors")
    .option("--max-pixels <n>", "reject images with more pixels (default: 50 million)", wholeNumber(1))
    .option(
      "--json",
      "print an array of {image, text, logProbability, tokens, model}, with --n-best also alternatives",
    )
    .addOption(new Option("--jsonl", "print the same objects, one a line").conflicts("json"))
    .addOption(
      new Option("--out <file>", "write the captions into a file instead: .csv, .tsv or .jsonl, by its ending")
        .conflicts(["json", "jsonl"]),
    )
    .addOption(
      new Option(
        "--sidecar <kind>",
        "also write each caption beside its image: txt into photo.txt, xmp into photo.jpg.xmp as dc:description",
      ).choices(SIDECAR_KINDS),
    )
    .option("--force", "let --out replace a file, and --sidecar other captions");
  return addDecodingOptions(addEngineOptions(command)).addHelpText("after", OUTPUT);
}

/** Adds the decoding options, which every task that generates captions has. */
export function addDecodingOptions(command: Command): Command {
  const positive = number((value) => value > 0, "a number above 0");
  const notNegative = number((value) => value >= 0, "a number, 0 or more");
  const probability = number((value) => value > 0 && value <= 1, "a number above 0, at most 1");
  const searchOptions = ["beam", "lengthPenalty", "beamGroups", "diversityPenalty"];
  const samplingOption = (flags: string, text: string) => new Option(flags, text).implies({ sample: true });
  return command
    .option("--beam <n>", "beam size (default: the checkpoint's); 1 is greedy", wholeNumber(1))
    .option("--n-best <n>", "captions for each image, best first (default: 1)", wholeNumber(1))
    .option(
      "--length-penalty <p>",
      "rank by log-probability / length^p; above 0 favors longer captions (default: the checkpoint's)",
      notNegative,
    )
    .option("--beam-groups <n>", "diverse beam search: number of beam groups (default: 1)", wholeNumber(1))
    .option(
      "--diversity-penalty <x>",
      "penalty for a token of an earlier group, in nats (default: 0.5; needs --beam-groups)",
      notNegative,
    )
    .addOption(new Option("--sample", "sample captions at random").conflicts(searchOptions))
    .addOption(samplingOption("--temperature <t>", "below 1 favors likelier words (default: 1)").argParser(positive))
    .addOption(
      samplingOption("--top-k <n>", "sample from the n most probable words (default: all)").argParser(wholeNumber(1)),
    )
    .addOption(
      samplingOption("--top-p <p>", "sample from the fewest words whose probabilities sum to p (default: 1, all)")
        .argParser(probability),
    )
    .addOption(samplingOption("--seed <n>", "random seed of the samples (default: 0)").argParser(wholeNumber(0)))
    .option("--min-length <n>", "minimum caption length in tokens (default: 1)", wholeNumber(1))
    .option("--max-length <n>", "maximum caption length in tokens (default: the checkpoint's)", wholeNumber(1))
    .option("--block-ngrams <n>", "no sequence of n words occurs twice (default: 0, off)", wholeNumber(0))
    .option("--with <word>", "word that each caption must contain; repeatable", collect)
    .option("--without <word>", "word that no caption may contain; repeatable", collect)
    .option("--begin <text>", "text that each caption begins with")
    .option("--any-ending", 'let captions end in "a", "the", "of" and the like');
}

/** @throws {InputError} If options contradict each other. */
export function parseCaptionOptions(options: Readonly<Record<string, unknown>>): CaptionCommandOptions {
  const { json, jsonl, ...others } = captionSchema.parse(options);
  const { out } = others;
  const format = out !== undefined ? formatOf(out) : json ? "json" : jsonl ? "jsonl" : "text";
  return { ...others, engine: parseEngineOptions(options), format, decoding: parseDecodingOptions(options) };
}

function formatOf(out: string): "csv" | "tsv" | "jsonl" {
  const ending = extname(out).slice(1).toLowerCase();
  if (ending === "csv" || ending === "tsv" || ending === "jsonl") return ending;
  throw new InputError(`Cannot write captions into '${out}': its name must end in .csv, .tsv or .jsonl; rename it`);
}

/** @throws {InputError} If options contradict each other. */
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
    throw new InputError("Cannot apply --diversity-penalty: it needs --beam-groups; give both, or neither");
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

function number(fits: (value: number) => boolean, what: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^-?[\d.]/.test(text) && Number.isFinite(value) && fits(value)) return value;
    throw new InvalidArgumentError(`It must be ${what}.`);
  };
}
