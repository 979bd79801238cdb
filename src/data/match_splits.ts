import type { OfficialSplits } from "./official_splits.ts";

/**
 * Replaces the names in split lists by the examples' names: lists may use another Unicode normalization, and an image
 * may have several names. A name in several lists stays in one of them. Names without an image stay unchanged.
 *
 * @param examples The examples by all their names.
 */
export function matchSplits(
  lists: OfficialSplits,
  examples: ReadonlyMap<string, { readonly name: string }>,
): { readonly lists: OfficialSplits; readonly inSeveral: readonly string[] } {
  const composed = new Map([...examples].map(([name, example]) => [name.normalize("NFC"), example.name]));
  const taken = new Set<string>();
  const inSeveral = new Set<string>();
  function match(names: readonly string[]): string[] {
    const matched = names.map((name) => composed.get(name.normalize("NFC")) ?? name);
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
