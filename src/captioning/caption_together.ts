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
  /** The process group. */
  readonly group: ProcessGroup;
}

/**
 * Captions images, in their order, with one process or several. Of several, each captions a shard; rank 0 yields all
 * captions once they are gathered, the others yield none.
 *
 * @param inputs The images, the same on all ranks.
 * @throws {InputError} If no caption can satisfy the options, or several processes would read standard input.
 */
export async function* captionTogether(
  captioner: FileCaptioner,
  inputs: AsyncIterable<CaptionInput>,
  { group, ...options }: CaptionTogetherOptions,
): AsyncGenerator<FileCaption | FileProblem, void, undefined> {
  if (group.worldSize === 1) return yield* captionFiles(captioner, inputs, options);
  if (options.live) {
    throw new InputError("Cannot caption images from standard input with several processes: name files or folders");
  }
  const all = await Array.fromAsync(inputs);
  const shard = shardBatches([...all.entries()], { ...group, batchSize: BATCH });
  const here = await Array.fromAsync(captionFiles(captioner, inTurn(shard.map(([, input]) => input)), options));
  const parts = await allGatherObject(group, here.map((result, at) => ({ index: shard[at]?.[0] ?? 0, result })));
  if (group.rank > 0) return;
  yield* parts.flat().sort((a, b) => a.index - b.index).map(({ result }) => result);
}

async function* inTurn<Item>(items: readonly Item[]): AsyncGenerator<Item, void, undefined> {
  yield* items;
}
