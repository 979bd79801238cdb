/**
 * Finding photographs by sentences, and sentences by photographs.
 *
 * @module
 */

import type { Captioner } from "../captioning/captioner.ts";
import { encodePhotographs } from "../evaluation/encode_images.ts";
import { retrieval, type RetrievalResult, type RetrievalScores } from "../evaluation/retrieval.ts";
import { scorePairs } from "../evaluation/score_pairs.ts";
import { RowFile } from "../files/row_file.ts";
import { checkpointSplit } from "../evaluation/checkpoint_split.ts";
import { readDataset } from "../data/dataset.ts";
import { UNKNOWN } from "../text/vocabulary.ts";
import type { Reporter } from "../reporter.ts";
import type { RetrievalOptions, SearchOptions } from "./retrieve_options.ts";
import { searchedFolder } from "./searched_folder.ts";

/** Where work tells what it does, and what ends it. */
export interface RetrieveContext {
  /** Takes lines and progress. */
  readonly reporter: Pick<Reporter, "note" | "progress">;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** A photograph that was looked for. */
export interface FoundPhotograph {
  /** Its path. */
  readonly image: string;
  /** Natural logarithm of the sentence's probability for it. */
  readonly logProbability: number;
}

/** What a model finds in a dataset. */
export interface RetrievalReport extends RetrievalResult {
  /** Photographs among which it looks. */
  readonly photographs: number;
  /** Captions among which it looks. */
  readonly sentences: number;
}

/**
 * Looks for photographs in a folder that a sentence may describe.
 *
 * @param captioner The model.
 * @param options See {@linkcode SearchOptions}.
 * @param context See {@linkcode RetrieveContext}.
 * @returns Photographs, the most probable first, and why others could not be looked at.
 * @throws {InputError} If there are none.
 */
export async function searchPhotographs(
  captioner: Captioner,
  { query, images, recursive, top, maxPixels }: SearchOptions,
  { reporter, signal }: RetrieveContext,
): Promise<{ readonly found: readonly FoundPhotograph[]; readonly problems: readonly string[] }> {
  const { files, problems: unread } = await searchedFolder(images, { recursive, signal });
  const { photographs, features, problems } = await look(captioner, files, { maxPixels, reporter, signal });
  const sentence = captioner.encodeCaption(query);
  if (sentence.includes(captioner.metadata.vocabulary.indexOf(UNKNOWN))) {
    reporter.note("Warning: the model does not know all words of the query; photographs are ranked by the others");
  }
  const [row = []] = await Array.fromAsync(scorePairs(captioner, features, [sentence], { signal }));
  const found = photographs.map(({ name }, index) => ({ image: name, logProbability: row[index] ?? NaN }))
    .sort((a, b) => b.logProbability - a.logProbability).slice(0, top);
  return { found, problems: [...unread, ...problems] };
}

/**
 * Judges a model by whether it finds captions and photographs that belong together (Donahue et al. 2015, section 5.2).
 *
 * @param captioner The model.
 * @param options See {@linkcode RetrievalOptions}.
 * @param context See {@linkcode RetrieveContext}.
 * @returns Recalls and ranks, and why photographs could not be looked at.
 * @throws {InputError} If the data cannot be used.
 */
export async function retrieveInDataset(
  captioner: Captioner,
  { dataset: { maxPixels: _, ...place }, maxPixels, split }: RetrievalOptions,
  { reporter, signal }: RetrieveContext,
): Promise<{ readonly report: RetrievalReport; readonly problems: readonly string[] }> {
  const dataset = await readDataset(place);
  const chosen = checkpointSplit(dataset, split, captioner.metadata);
  for (const line of chosen.notes) reporter.note(line);
  const { photographs, features, problems } = await look(captioner, chosen.photographs, {
    maxPixels,
    reporter,
    signal,
  });
  const captions = photographs.flatMap(({ captions }) => captions.map((caption) => captioner.encodeCaption(caption)));
  const imageOfCaption = Int32Array.from(photographs.flatMap(({ captions }, image) => captions.map(() => image)));
  const onProgress = (done: number, total: number) => reporter.progress("Scoring pairs", done, total);
  using store = await RowFile.create();
  const rows = scorePairs(captioner, features, captions, { onProgress, signal });
  const result = await retrieval(rows, imageOfCaption, store);
  return { report: { photographs: photographs.length, sentences: captions.length, ...result }, problems };
}

/**
 * Describes what a model finds in a dataset.
 *
 * @param report What was found.
 * @returns Lines for a person.
 */
export function describeRetrieval(
  { photographs, sentences, images, captions, captionsLessMean }: RetrievalReport,
): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)}%`.padStart(7);
  const row = (name: string, { recall1, recall5, recall10, medianRank }: RetrievalScores) =>
    `${name.padEnd(34)}${percent(recall1)}${percent(recall5)}${percent(recall10)}${medianRank.toFixed(1).padStart(13)}`;
  return [
    `${photographs} photographs, ${sentences} captions`,
    `${"".padEnd(34)}${"R@1".padStart(7)}${"R@5".padStart(7)}${"R@10".padStart(7)}${"median rank".padStart(13)}`,
    row("caption to photograph", images),
    row("photograph to caption", captions),
    row("the same less the caption's mean", captionsLessMean),
  ];
}

async function look<Photograph extends { readonly path: string }>(
  captioner: Captioner,
  photographs: readonly Photograph[],
  { maxPixels, reporter, signal }: RetrieveContext & { readonly maxPixels: number | undefined },
) {
  const onProgress = (done: number, total: number) => reporter.progress("Looking at photographs", done, total);
  return await encodePhotographs(captioner, photographs, { maxPixels, onProgress, signal });
}
