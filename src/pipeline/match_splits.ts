/**
 * Official lists and photographs that write their names in different ways.
 *
 * @module
 */

import type { Photograph } from "./dataset.ts";
import type { OfficialSplits } from "./split_lists.ts";

/**
 * Gives the names in lists as their photographs have them: letters may be composed in one file and decomposed in another,
 * and one photograph may have several names. It stays in the first list that has it.
 *
 * @param lists The names in each part.
 * @param photographs The photographs by all their names.
 * @returns The lists; names without a photograph stay as they are.
 */
export function matchSplits(
  lists: OfficialSplits,
  photographs: ReadonlyMap<string, Pick<Photograph, "name">>,
): OfficialSplits {
  const composed = new Map([...photographs].map(([name, photograph]) => [name.normalize("NFC"), photograph.name]));
  const taken = new Set<string>();
  function match(names: readonly string[]): string[] {
    const matched = names.map((name) => composed.get(name.normalize("NFC")) ?? name);
    const left = [...new Set(matched)].filter((name) => !taken.has(name));
    for (const name of left) taken.add(name);
    return left;
  }
  // In this order: what is tested with must not be learnt from.
  const test = match(lists.test);
  const validation = match(lists.validation);
  return { train: match(lists.train), validation, test };
}
