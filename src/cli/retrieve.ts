import type { Captioner } from "../captioning/captioner.ts";
import { encodeImages } from "../evaluation/encode_images.ts";
import { retrieval, type RetrievalResult, type RetrievalScores } from "../evaluation/retrieval.ts";
import { scorePairs } from "../evaluation/score_pairs.ts";
import { RowFile } from "../files/row_file.ts";
import { checkpointSplit } from "../evaluation/checkpoint_split.ts";
import { readDataset } from "../data/dataset.ts";
import { queryWords } from "../evaluation/image_search.ts";
import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";
import type { Reporter } from "../reporter.ts";
import type { RetrievalOptions, SearchOptions } from "./retrieve_options.ts";
import { searchedFolder } from "./searched_folder.ts";

/** Reporting and cancellation. */
export interface RetrieveContext {
  readonly reporter: Pick<Reporter, "warn" | "progress">;
  readonly signal: AbortSignal;
}

/** A search result. */
export interface FoundImage {
  /** Path of the file. */
  readonly image: string;
  /** Natural logarithm of the sentence's probability given the image. */
  readonly logProbability: number;
}

/** Retrieval scores of a model on a dataset. */
export interface RetrievalReport extends RetrievalResult {
  /** Number of images searched. */
  readonly imageCount: number;
  /** Number of captions searched. */
  readonly captionCount: number;
}

/**
 * Ranks the images of a folder by the probability of a sentence, most probable first. `problems` names unreadable images.
 *
 * @throws {InputError} If the folder has no image.
 */
export async function searchImages(
  captioner: Captioner,
  { query, images: folder, recursive, top, maxPixels }: SearchOptions,
  { reporter, signal }: RetrieveContext,
): Promise<{ readonly found: readonly FoundImage[]; readonly problems: readonly string[] }> {
  const { files, problems: unlisted } = await searchedFolder(folder, { recursive, signal });
  const sentence = captioner.encodeCaption(query);
  const { known, unknown } = queryWords(captioner, query);
  const named = unknown.map(quoted).join(", ");
  if (known.length === 0) throw new InputError(`Cannot search: the model knows none of the words ${named}; use others`);
  if (unknown.length > 0) {
    reporter.warn(`Warning: the model does not know ${named}; images are ranked by the other words`);
  }
  const { images, features, problems } = await encodeAll(captioner, files, { maxPixels, reporter, signal });
  const [row = []] = await Array.fromAsync(scorePairs(captioner, features, [sentence], { signal }));
  const found = images.map(({ name }, index) => ({ image: name, logProbability: row[index] ?? NaN }))
    .sort((a, b) => b.logProbability - a.logProbability).slice(0, top);
  return { found, problems: [...unlisted, ...problems] };
}

/**
 * Scores a model by retrieving images by captions and captions by images (Donahue et al. 2015, section 5.2).
 *
 * @throws {InputError} If the dataset cannot be used.
 */
export async function retrieveInDataset(
  captioner: Captioner,
  { dataset: { maxPixels: _, ...files }, maxPixels, split }: RetrievalOptions,
  { reporter, signal }: RetrieveContext,
): Promise<{ readonly report: RetrievalReport; readonly problems: readonly string[] }> {
  const dataset = await readDataset(files);
  const chosen = checkpointSplit(dataset, split, captioner.metadata);
  for (const line of chosen.notes) reporter.warn(line);
  const { images, features, problems } = await encodeAll(captioner, chosen.examples, { maxPixels, reporter, signal });
  const captions = images.flatMap(({ captions }) => captions.map((caption) => captioner.encodeCaption(caption)));
  const imageOfCaption = Int32Array.from(images.flatMap(({ captions }, image) => captions.map(() => image)));
  const onProgress = (done: number, total: number) => reporter.progress("Scoring pairs", done, total);
  using scores = await RowFile.create();
  const rows = scorePairs(captioner, features, captions, { onProgress, signal });
  const result = await retrieval(rows, imageOfCaption, scores);
  return { report: { imageCount: images.length, captionCount: captions.length, ...result }, problems };
}

/** Formats retrieval scores as lines for a person. */
export function describeRetrieval(
  { imageCount, captionCount, images, captions, captionsLessMean }: RetrievalReport,
): string[] {
  const percent = (fraction: number) => `${(100 * fraction).toFixed(1)}%`.padStart(7);
  const row = (name: string, { recall1, recall5, recall10, medianRank }: RetrievalScores) =>
    `${name.padEnd(34)}${percent(recall1)}${percent(recall5)}${percent(recall10)}${medianRank.toFixed(1).padStart(13)}`;
  return [
    `${imageCount} images, ${captionCount} captions`,
    `${"".padEnd(34)}${"R@1".padStart(7)}${"R@5".padStart(7)}${"R@10".padStart(7)}${"median rank".padStart(13)}`,
    row("caption to image", images),
    row("image to caption", captions),
    row("image to caption, mean subtracted", captionsLessMean),
  ];
}

async function encodeAll<Item extends { readonly path: string }>(
  captioner: Captioner,
  images: readonly Item[],
  { maxPixels, reporter, signal }: RetrieveContext & { readonly maxPixels: number | undefined },
) {
  const onProgress = (done: number, total: number) => reporter.progress("Encoding images", done, total);
  return await encodeImages(captioner, images, { maxPixels, onProgress, signal });
}
