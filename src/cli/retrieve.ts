/**
 * Finding images by sentences, and sentences by images.
 *
 * @module
 */

import type { Captioner } from "../captioning/captioner.ts";
import { encodeImages } from "../evaluation/encode_images.ts";
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

/** An image that was looked for. */
export interface FoundImage {
  /** Its path. */
  readonly image: string;
  /** Natural logarithm of the sentence's probability for it. */
  readonly logProbability: number;
}

/** What a model finds in a dataset. */
export interface RetrievalReport extends RetrievalResult {
  /** Number of images searched. */
  readonly imageCount: number;
  /** Number of captions searched. */
  readonly captionCount: number;
}

/**
 * Looks for images in a folder that a sentence may describe.
 *
 * @param captioner The model.
 * @param options See {@linkcode SearchOptions}.
 * @param context See {@linkcode RetrieveContext}.
 * @returns Images, the most probable first, and why others could not be looked at.
 * @throws {InputError} If there are none.
 */
export async function searchImages(
  captioner: Captioner,
  { query, images: folder, recursive, top, maxPixels }: SearchOptions,
  { reporter, signal }: RetrieveContext,
): Promise<{ readonly found: readonly FoundImage[]; readonly problems: readonly string[] }> {
  const { files, problems: unread } = await searchedFolder(folder, { recursive, signal });
  const { images, features, problems } = await look(captioner, files, { maxPixels, reporter, signal });
  const sentence = captioner.encodeCaption(query);
  if (sentence.includes(captioner.metadata.vocabulary.indexOf(UNKNOWN))) {
    reporter.note("Warning: the model does not know all words of the query; images are ranked by the others");
  }
  const [row = []] = await Array.fromAsync(scorePairs(captioner, features, [sentence], { signal }));
  const found = images.map(({ name }, index) => ({ image: name, logProbability: row[index] ?? NaN }))
    .sort((a, b) => b.logProbability - a.logProbability).slice(0, top);
  return { found, problems: [...unread, ...problems] };
}

/**
 * Judges a model by whether it finds captions and images that belong together (Donahue et al. 2015, section 5.2).
 *
 * @param captioner The model.
 * @param options See {@linkcode RetrievalOptions}.
 * @param context See {@linkcode RetrieveContext}.
 * @returns Recalls and ranks, and why images could not be looked at.
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
  const { images, features, problems } = await look(captioner, chosen.examples, {
    maxPixels,
    reporter,
    signal,
  });
  const captions = images.flatMap(({ captions }) => captions.map((caption) => captioner.encodeCaption(caption)));
  const imageOfCaption = Int32Array.from(images.flatMap(({ captions }, image) => captions.map(() => image)));
  const onProgress = (done: number, total: number) => reporter.progress("Scoring pairs", done, total);
  using store = await RowFile.create();
  const rows = scorePairs(captioner, features, captions, { onProgress, signal });
  const result = await retrieval(rows, imageOfCaption, store);
  return { report: { imageCount: images.length, captionCount: captions.length, ...result }, problems };
}

/**
 * Describes what a model finds in a dataset.
 *
 * @param report What was found.
 * @returns Lines for a person.
 */
export function describeRetrieval(
  { imageCount, captionCount, images, captions, captionsLessMean }: RetrievalReport,
): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)}%`.padStart(7);
  const row = (name: string, { recall1, recall5, recall10, medianRank }: RetrievalScores) =>
    `${name.padEnd(34)}${percent(recall1)}${percent(recall5)}${percent(recall10)}${medianRank.toFixed(1).padStart(13)}`;
  return [
    `${imageCount} images, ${captionCount} captions`,
    `${"".padEnd(34)}${"R@1".padStart(7)}${"R@5".padStart(7)}${"R@10".padStart(7)}${"median rank".padStart(13)}`,
    row("caption to image", images),
    row("image to caption", captions),
    row("the same less the caption's mean", captionsLessMean),
  ];
}

async function look<Item extends { readonly path: string }>(
  captioner: Captioner,
  images: readonly Item[],
  { maxPixels, reporter, signal }: RetrieveContext & { readonly maxPixels: number | undefined },
) {
  const onProgress = (done: number, total: number) => reporter.progress("Looking at images", done, total);
  return await encodeImages(captioner, images, { maxPixels, onProgress, signal });
}
