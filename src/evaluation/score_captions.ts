import { bleu } from "./bleu.ts";
import { ciderD } from "./cider.ts";
import { type ScoringTokenizer, scoringTokens } from "./scoring_tokenizer.ts";
import { rougeL } from "./rouge_l.ts";
import { checkTexts, checkTokenized, type TokenizedCaption } from "./tokenized_caption.ts";
import { PYTHON_SPACE } from "../text/python_characters.ts";

/** A caption with its references. */
export interface ScoredCaption {
  /** The image. */
  readonly image: string;
  /** The caption. */
  readonly caption: string;
  /** Human captions, at least one. */
  readonly references: readonly string[];
}

/** Scores as COCO's evaluation names them; all from 0 to 1 but CIDEr, from 0 to 10. */
export interface Scores {
  /** BLEU-1. */
  readonly Bleu_1: number;
  /** BLEU-2. */
  readonly Bleu_2: number;
  /** BLEU-3. */
  readonly Bleu_3: number;
  /** BLEU-4. */
  readonly Bleu_4: number;
  /** ROUGE-L. */
  readonly ROUGE_L: number;
  /** CIDEr-D. */
  readonly CIDEr: number;
  /** METEOR, if it was computed. */
  readonly METEOR?: number;
}

/** Scores of all captions and of each. */
export interface ScoreResult {
  /** Scores of the corpus. */
  readonly corpus: Scores;
  /** Scores of each caption, in order. */
  readonly captions: readonly Scores[];
}

/**
 * Tokenizes captions for scoring.
 *
 * @param tokenizer COCO's evaluation uses Penn Treebank tokens.
 * @throws {TypeError} If captions or references are not text.
 * @throws {RangeError} If a caption has no reference.
 *
 * @example Lower case, no punctuation
 * ```ts
 * import assert from "node:assert/strict";
 * import { tokenizeCaptions } from "@lrcn/lrcn/metrics";
 *
 * const [tokens] = tokenizeCaptions([{ caption: "A kite.", references: ["The red kite!"] }]);
 * assert.deepEqual(tokens, { caption: ["a", "kite"], references: [["the", "red", "kite"]] });
 * ```
 */
export function tokenizeCaptions(
  captions: readonly Pick<ScoredCaption, "caption" | "references">[],
  tokenizer: ScoringTokenizer = "ptb",
): TokenizedCaption[] {
  checkTexts(captions);
  const tokenize = scoringTokens(tokenizer);
  return captions.map(({ caption, references }) => ({
    caption: tokenize(caption),
    references: references.map((reference) => tokenize(reference)),
  }));
}

/**
 * Computes all scores but METEOR.
 *
 * @throws {TypeError} If captions or references are not lists of tokens.
 * @throws {RangeError} If there is no caption, or one has no reference.
 *
 * @example Two captions, one equal to a reference
 * ```ts
 * import assert from "node:assert/strict";
 * import { scoreCaptions, tokenizeCaptions } from "@lrcn/lrcn/metrics";
 *
 * const { corpus, captions } = scoreCaptions(tokenizeCaptions([
 *   { caption: "a red kite flies", references: ["a red kite flies", "a kite in the sky"] },
 *   { caption: "two boats", references: ["a boat at sea"] },
 * ]));
 * assert.equal(corpus.Bleu_1.toFixed(2), "0.48");
 * assert.equal(captions[0]?.ROUGE_L, 1);
 * ```
 */
export function scoreCaptions(captions: readonly TokenizedCaption[]): ScoreResult {
  if (captions.length === 0) throw new RangeError("Cannot score captions: there are none");
  checkTokenized(captions);
  const parts = captions.map(({ caption, references }) => ({
    caption: atSpaces(caption),
    references: references.map(atSpaces),
  }));
  const bleus = bleu(parts);
  const rouge = rougeL(captions);
  const cider = ciderD(parts);
  const scores = ([Bleu_1, Bleu_2, Bleu_3, Bleu_4]: typeof bleus.corpus, ROUGE_L: number, CIDEr: number) => (
    { Bleu_1, Bleu_2, Bleu_3, Bleu_4, ROUGE_L, CIDEr }
  );
  return {
    corpus: scores(bleus.corpus, rouge.mean, cider.mean),
    captions: bleus.captions.map((own, index) =>
      scores(own, rouge.captions[index] ?? NaN, cider.captions[index] ?? NaN)
    ),
  };
}

const SPACES = new RegExp(`[${PYTHON_SPACE}]+`, "u");

/** A token may contain a no-break space ("3 1/2"): pycocoevalcap splits it there for BLEU and CIDEr, not for ROUGE-L. */
function atSpaces(tokens: readonly string[]): string[] {
  return tokens.flatMap((token) => SPACES.test(token) ? token.split(SPACES).filter((part) => part !== "") : [token]);
}
