import { join } from "node:path";
import { captionStatistics } from "../evaluation/caption_statistics.ts";
import { meteor } from "../evaluation/meteor.ts";
import { type ScoringTokenizer, scoringTokens } from "../evaluation/scoring_tokenizer.ts";
import { refuseUnscorable } from "../evaluation/refuse_unscorable.ts";
import { scoreCaptions, type ScoredCaption, type Scores, tokenizeCaptions } from "../evaluation/score_captions.ts";
import { createFolder } from "../files/create_folder.ts";
import { printable, quoted } from "../printable.ts";
import { writeAtomic } from "../files/write_atomic.ts";
import { InputError } from "../input_error.ts";

/** Scores, under COCO's names, and statistics of the captions. */
export interface ScoreReport extends Scores {
  /** The dataset's split, if a model wrote the captions. */
  readonly split?: string;
  /** Number of images. */
  readonly images: number;
  /** Fraction of distinct captions. */
  readonly distinctFraction: number;
  /** Number of distinct words. */
  readonly vocabularyUsed: number;
  /** Mean length in words. */
  readonly meanLength: number;
  /** Fraction of captions that equal no training caption. */
  readonly novelFraction?: number;
  /** Perplexity of the references. */
  readonly perplexity?: number;
  /** Images whose caption has no word. */
  readonly emptyCaptions: readonly string[];
  /** Caption and scores of each image, if requested. */
  readonly perImage?: readonly ({ readonly image_id: string; readonly caption: string } & Scores)[];
}

/** Options of {@linkcode reportOf}. */
export interface ReportOptions {
  /** Path of METEOR's program. */
  readonly meteorJar: string | undefined;
  /** Whether to report each image's scores as well. */
  readonly perImage: boolean;
  /** Folder for captions, references and scores. */
  readonly out?: string | undefined;
}

/** Captions to score. */
export interface Evaluated {
  readonly captions: readonly ScoredCaption[];
  /** The dataset's split, if a model wrote them. */
  readonly split?: string;
  /** Perplexity of the references. */
  readonly perplexity?: number;
  /** Captions of the training set, if known. */
  readonly trainingCaptions?: readonly string[];
  /**
   * The tokenizer.
   *
   * @default {"ptb"}
   */
  readonly tokenizer?: ScoringTokenizer;
}

/**
 * Scores captions, and writes `predictions.json`, `references.json` and `scores.json` into `out` if given.
 *
 * @throws {InputError} If no caption or no reference has a word, METEOR's program cannot be run, or a file cannot be written.
 */
export async function reportOf(evaluated: Evaluated, options: ReportOptions): Promise<ScoreReport> {
  const { captions, split, perplexity, trainingCaptions = [], tokenizer } = evaluated;
  const { meteorJar, perImage, out } = options;
  const tokens = tokenizeCaptions(captions, tokenizer);
  refuseUnscorable(tokens);
  const scores = scoreCaptions(tokens);
  if (meteorJar !== undefined && await isOther(meteorJar)) {
    throw new InputError(`Cannot compute METEOR: '${meteorJar}' is not a file; give meteor-1.5.jar`);
  }
  const own = meteorJar === undefined ? undefined : await meteor(tokens, { jar: meteorJar });
  const known = trainingCaptions.length > 0 ? trainingCaptions.map(scoringTokens(tokenizer ?? "ptb")) : undefined;
  const report: ScoreReport = {
    ...(split !== undefined && { split }),
    ...scores.corpus,
    ...(own !== undefined && { METEOR: own.mean }),
    images: captions.length,
    ...captionStatistics(tokens.map(({ caption }) => caption), known),
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

/** Formats scores as lines for a person. */
export function describeReport(report: ScoreReport): string[] {
  const { images, distinctFraction, vocabularyUsed, meanLength, novelFraction, perplexity, emptyCaptions, perImage } =
    report;
  const percent = (fraction: number) => `${(100 * fraction).toFixed(1)}%`;
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
      `${printable(image_id)}\t${CIDEr.toFixed(3)}\t${printable(caption)}`
    ),
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...(first === undefined
      ? []
      : [`Warning: ${emptyCaptions.length} captions have no word, the first is for ${quoted(first)}`]),
  ];
}

const NAMES = ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr"] as const;

// The formats that COCO's evaluation reads, and so does --predictions.
async function writeFiles(out: string, captions: readonly ScoredCaption[], scores: ScoreReport): Promise<void> {
  const files = {
    "predictions.json": captions.map(({ image, caption }) => ({ image_id: image, caption })),
    "references.json": Object.fromEntries(captions.map(({ image, references }) => [image, references])),
    "scores.json": scores,
  };
  await createFolder(out);
  for (const [name, value] of Object.entries(files)) {
    await writeAtomic(join(out, name), [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)]);
  }
}

/** Whether a path is that of a folder or a pipe, of which Java would wait for the writer. */
async function isOther(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => !isFile, () => false);
}
