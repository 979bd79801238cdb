import type { DecodeStep } from "./hypotheses.ts";
import type { TokenSequence } from "./caption.ts";

/** Options of {@linkcode notebookSearch}. */
export interface NotebookSearchOptions {
  /** Number of images to caption. */
  readonly images: number;
  /** The token that captions begin with; the model cannot predict it. */
  readonly firstToken: number;
  /** The id of `<pad>`, which ends a caption. */
  readonly padding: number;
  /** Maximum length in tokens, the first one included. */
  readonly maxLength: number;
}

/**
 * Greedy search for models trained with the notebook's two shifts. The image predicts the second token, the first token
 * the third, and so on: each predicted token is the input two steps later.
 */
export async function notebookSearch(step: DecodeStep, options: NotebookSearchOptions): Promise<TokenSequence[]> {
  const { images, firstToken, padding, maxLength } = options;
  const captions = Array.from({ length: images }, () => ({ tokens: [firstToken], logProbability: 0, ended: false }));
  const rows = Int32Array.from({ length: images }, (_, row) => row);
  for (let position = 0; position < maxLength - 1 && captions.some(({ ended }) => !ended); position++) {
    const given = position === 0 ? null : Int32Array.from(captions, ({ tokens }) => tokens[position - 1] ?? padding);
    const next = await step(rows, given, 1);
    captions.forEach((caption, row) => {
      if (caption.ended) return;
      const token = next.tokens[row] ?? padding;
      caption.logProbability += next.logProbabilities[row] ?? -Infinity;
      if (token === padding) caption.ended = true;
      else caption.tokens.push(token);
    });
  }
  return captions.map(({ tokens, logProbability }) => ({ tokens, logProbability }));
}
