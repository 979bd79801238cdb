import { caselessKey, pathParts, stemKey } from "./image_names.ts";
import type { OfficialSplits } from "./official_splits.ts";

/**
 * Replaces the names in split lists by the examples' names: lists may use another Unicode normalization, or names
 * without folders or endings, and an image may have several names. A name in several lists stays in one of them. Names
 * without an image stay unchanged.
 *
 * @param examples The examples by all their names.
 */
export function matchSplits(
  lists: OfficialSplits,
  examples: ReadonlyMap<string, { readonly name: string }>,
): { readonly lists: OfficialSplits; readonly inSeveral: readonly string[] } {
  const composed = new Map([...examples].map(([name, example]) => [name.normalize("NFC"), example.name]));
  const loosely = looseNames(lists, composed);
  const taken = new Set<string>();
  const inSeveral = new Set<string>();
  function match(names: readonly string[]): string[] {
    const matched = names.map((name) => composed.get(name.normalize("NFC")) ?? loosely.get(name) ?? name);
    const distinct = new Set(matched);
    for (const name of distinct.intersection(taken)) inSeveral.add(name);
    const left = [...distinct.difference(taken)];
    for (const name of left) taken.add(name);
    return left;
  }
  // In this order, so that the training set never contains a test image.
  const test = match(lists.test);
  const validation = match(lists.validation);
  const train = match(lists.train);
  return { lists: { train, validation, test }, inSeveral: [...inSeveral] };
}

/** Names in lists that mean one example alone, if neither folders nor endings count. */
function looseNames(lists: OfficialSplits, composed: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const listed = [...lists.train, ...lists.validation, ...lists.test];
  const unmatched = listed.filter((name) => !composed.has(name.normalize("NFC")));
  if (unmatched.length === 0) return new Map();
  const byStem = Map.groupBy(new Set(composed.values()), stemOfPath);
  const listedByStem = Map.groupBy(listed, stemOfPath);
  const found = new Map<string, string>();
  for (const name of unmatched) {
    const stem = stemOfPath(name);
    const [only, second] = byStem.get(stem) ?? [];
    if (stem === undefined || only === undefined || second !== undefined) continue;
    if (listedByStem.get(stem)?.length === 1 && haveSameFolders(name, only)) found.set(name, only);
  }
  return found;
}

/** Whether two paths have the same folders, as far as both have some. */
function haveSameFolders(one: string, other: string): boolean {
  const folders = (path: string) => pathParts(path).slice(0, -1).toReversed();
  const others = folders(other);
  return folders(one).every((name, index) => caselessKey(name) === caselessKey(others[index] ?? name));
}

function stemOfPath(path: string): string | undefined {
  return stemKey(pathParts(path).at(-1) ?? "");
}
