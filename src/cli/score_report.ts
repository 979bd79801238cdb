/**
 * The scores of captions, for people and for programs.
 *
 * @module
 */

import { join } from "node:path";
import { captionStatistics } from "../evaluation/caption_statistics.ts";
import { meteor } from "../evaluation/meteor.ts";
import { type ScoringTokenizer, scoringTokens } from "../evaluation/scoring_tokenizer.ts";
import { scoreCaptions, type ScoredCaption, type Scores, tokenizeCaptions } from "../evaluation/score_captions.ts";
import { fileErrorReason } from "../files/file_error.ts";
import { quoted } from "../printable.ts";
import { writeAtomic } from "../files/write_atomic.ts";
import { InputError } from "../input_error.ts";

/** Scores, by COCO's names, and what captions are like. */
export interface ScoreReport extends Scores {
  /** Images that were captioned. */
  readonly images: number;
  /** Share of different captions. */
  readonly distinctFraction: number;
  /** Different words in them. */
  readonly vocabularyUsed: number;
  /** Mean length in words. */
  readonly meanLength: number;
  /** Share of captions that no training caption equals. */
  readonly novelFraction?: number;
  /** How many words the model wavers between, in people's captions. */
  readonly perplexity?: number;
  /** Captions without a word. */
  readonly emptyCaptions: readonly string[];
  /** Each image with its caption and its scores, where asked for. */
  readonly perImage?: readonly ({ readonly image_id: string; readonly caption: string } & Scores)[];
}

/** What {@linkcode reportOf} is told. */
export interface ReportOptions {
  /** The path of METEOR's program. */
  readonly meteorJar: string | undefined;
  /** Whether each image's scores are given, too. */
  readonly perImage: boolean;
  /** A folder for captions, references and scores. */
  readonly out?: string | undefined;
}

/** Captions that were written, and what is known of them. */
export interface Evaluated {
  /** The captions with their references. */
  readonly captions: readonly ScoredCaption[];
  /** How many words the model wavers between, in people's captions. */
  readonly perplexity?: number;
  /** The captions that the model learnt from, where they are known. */
  readonly trainingCaptions?: readonly string[];
  /**
   * How captions are split into words.
   *
   * @default {"ptb"}
   */
  readonly tokenizer?: ScoringTokenizer;
}

/**
 * Scores captions, and writes them into files where asked for.
 *
 * @param evaluated The captions.
 * @param options See {@linkcode ReportOptions}.
 * @returns The scores.
 * @throws {InputError} If METEOR's program cannot be run, or a file not be written.
 */
export async function reportOf(evaluated: Evaluated, options: ReportOptions): Promise<ScoreReport> {
  const { captions, perplexity, trainingCaptions = [], tokenizer } = evaluated;
  const { meteorJar, perImage, out } = options;
  const tokens = tokenizeCaptions(captions, tokenizer);
  const scores = scoreCaptions(tokens);
  const own = meteorJar === undefined ? undefined : await meteor(tokens, { jar: meteorJar });
  const learnt = trainingCaptions.length > 0 ? trainingCaptions.map(scoringTokens(tokenizer ?? "ptb")) : undefined;
  const report: ScoreReport = {
    ...scores.corpus,
    ...(own !== undefined && { METEOR: own.mean }),
    images: captions.length,
    ...captionStatistics(tokens.map(({ caption }) => caption), learnt),
    ...(perplexity !== undefined && { perplexity }),
    emptyCaptions: captions.filter((_, index) => tokens[index]?.caption.length === 0).map(({ image }) => image),
  };
  const images = captions.map(({ image, caption }, index) => ({
    image_id: image,
    caption,
    ...(scores.captions[index] ?? scores.corpus),
    ...(own !== undefined && { METEOR: own.captions[index] ?? NaN }),
  }));
  if (out !== undefined) await writeFiles(out, captions, { ...report, perImage: images });
  return perImage ? { ...report, perImage: images } : report;
}

/**
 * Describes scores.
 *
 * @param report The scores.
 * @returns Lines for a person.
 */
export function describeReport(report: ScoreReport): string[] {
  const { images, distinctFraction, vocabularyUsed, meanLength, novelFraction, perplexity, emptyCaptions, perImage } =
    report;
  const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
  const facts: [string, string][] = [
    ...NAMES.flatMap((name): [string, string][] => {
      const score = report[name];
      return score === undefined ? [] : [[name.replace("_", "-").replace("Bleu", "BLEU"), score.toFixed(4)]];
    }),
    ...(perplexity === undefined ? [] : [["perplexity", perplexity.toFixed(2)] satisfies [string, string]]),
    ["images", `${images}`],
    ["distinct", percent(distinctFraction)],
    ...(novelFraction === undefined ? [] : [["novel", percent(novelFraction)] satisfies [string, string]]),
    ["words used", `${vocabularyUsed}`],
    ["mean length", meanLength.toFixed(1)],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const [first] = emptyCaptions;
  return [
    ...(perImage ?? []).map(({ image_id, caption, CIDEr }) =>
      `${plain(image_id)}\t${CIDEr.toFixed(3)}\t${plain(caption)}`
    ),
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...(first === undefined
      ? []
      : [`Warning: ${emptyCaptions.length} captions have no word, the first is that of ${quoted(first)}`]),
  ];
}

/** A stranger's words, without what a terminal obeys. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, " ");
}

const NAMES = ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr"] as const;

/** In the forms that COCO's evaluation, and this one, read. */
async function writeFiles(out: string, captions: readonly ScoredCaption[], scores: ScoreReport): Promise<void> {
  const files = {
    "predictions.json": captions.map(({ image, caption }) => ({ image_id: image, caption })),
    "references.json": Object.fromEntries(captions.map(({ image, references }) => [image, references])),
    "scores.json": scores,
  };
  try {
    await Deno.mkdir(out, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot create folder '${out}': ${fileErrorReason(error)}`, { cause: error });
  }
  for (const [name, value] of Object.entries(files)) {
    await writeAtomic(join(out, name), [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)]);
  }
}
