/**
 * Captions of images by one process or several.
 *
 * @module
 */

import { allGatherObject } from "../distributed/collectives.ts";
import type { ProcessGroup } from "../distributed/process_group.ts";
import { shardBatches } from "../distributed/shard.ts";
import { InputError } from "../input_error.ts";
import {
  BATCH,
  captionFiles,
  type CaptionFilesOptions,
  type FileCaption,
  type FileCaptioner,
  type FileProblem,
} from "./caption_files.ts";
import type { CaptionInput } from "../images/find_inputs.ts";

/** Options of {@linkcode captionTogether}. */
export interface CaptionTogetherOptions extends CaptionFilesOptions {
  /** The processes. */
  readonly group: ProcessGroup;
}

/**
 * Captions images, in their order. Of several processes each captions a part, and the first gives all captions, once they
 * are there; the others give none.
 *
 * @param captioner The model.
 * @param inputs The images, the same for all processes.
 * @param options See {@linkcode CaptionTogetherOptions}.
 * @returns Captions and problems.
 * @throws {InputError} If captions cannot be as the options say, or several processes are to share what standard input
 * brings.
 */
export async function* captionTogether(
  captioner: FileCaptioner,
  inputs: AsyncIterable<CaptionInput>,
  { group, ...options }: CaptionTogetherOptions,
): AsyncGenerator<FileCaption | FileProblem, void, undefined> {
  if (group.worldSize === 1) return yield* captionFiles(captioner, inputs, options);
  if (options.live) {
    throw new InputError("Cannot caption by several processes what standard input names: name files or folders");
  }
  const all = await Array.fromAsync(inputs);
  const share = shardBatches([...all.entries()], { ...group, batchSize: BATCH });
  const here = await Array.fromAsync(captionFiles(captioner, inTurn(share.map(([, input]) => input)), options));
  const parts = await allGatherObject(group, here.map((result, index) => ({ place: share[index]?.[0] ?? 0, result })));
  if (group.rank > 0) return;
  yield* parts.flat().sort((a, b) => a.place - b.place).map(({ result }) => result);
}

async function* inTurn<Item>(items: readonly Item[]): AsyncGenerator<Item, void, undefined> {
  yield* items;
}
