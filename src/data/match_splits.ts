/**
 * Official lists and images that write their names in different ways.
 *
 * @module
 */

import type { OfficialSplits } from "./official_splits.ts";

/**
 * Gives the names in lists as their images have them: letters may be composed in one file and decomposed in another,
 * and one image may have several names. It stays in the first list that has it.
 *
 * @param lists The names in each part.
 * @param images The images by all their names.
 * @returns The lists; names without an image stay as they are. And the names that a list lost to another.
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
  // In this order: what is tested with must not be learnt from.
  const test = match(lists.test);
  const validation = match(lists.validation);
  const train = match(lists.train);
  return { lists: { train, validation, test }, inSeveral: [...inSeveral] };
}
