import { relative } from "node:path";
import { quoted } from "../printable.ts";
import type { ImageFile } from "../images/image_file.ts";
import { completeSplits, describeCompletion, type OfficialSplits } from "./official_splits.ts";
import { splitOfPath, type SplitPart } from "./split_name.ts";

/** A split by folders, with its source for the user. */
export interface FolderSplit {
  readonly lists: OfficialSplits;
  readonly from: "folders";
  readonly source: string;
}

/** An image with its name in the captions. */
export interface NamedImage extends ImageFile {
  readonly name: string;
}

/**
 * The split of images that lie in folders such as `train`, `val` and `test`, or in tar shards whose names contain these
 * words.
 *
 * @param folder The dataset's folder; its own name does not count.
 * @returns Undefined unless each image is in such a folder, and training and another set have some.
 */
export function splitByFolder(examples: readonly NamedImage[], folder: string): FolderSplit | undefined {
  const lists: Record<SplitPart, string[]> = { train: [], validation: [], test: [] };
  const shown = new Set<string>();
  const commons = new Set<string>();
  for (const { name, path, member } of examples) {
    const parts = relative(folder, path).split("/");
    const places = member === undefined ? parts.slice(0, -1) : parts;
    const place = places.find((part) => splitOfPath(part) !== undefined);
    const split = place === undefined ? undefined : splitOfPath(place);
    if (place === undefined || split === undefined) return undefined;
    lists[split.part].push(name);
    shown.add(place);
    commons.add(member === undefined ? split.common : split.common.replaceAll(/\d+/g, "").trim());
  }
  const complete = commons.size === 1 ? completeSplits(lists) : undefined;
  if (complete === undefined) return undefined;
  const kind = examples.some(({ member }) => member !== undefined) ? "shards" : "folders";
  const few = [...shown].sort().slice(0, 6).map(quoted).join(", ");
  return {
    lists: complete,
    from: "folders",
    source: `the ${kind} ${few}${shown.size > 6 ? " and others" : ""}${describeCompletion(lists)}`,
  };
}
