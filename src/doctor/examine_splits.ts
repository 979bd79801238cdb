/**
 * Photographs that are where they should not be: in two splits, or twice in a dataset.
 *
 * @module
 */

import type { Photograph } from "../data/dataset.ts";
import type { Splits } from "../data/splits.ts";
import type { Example } from "../pipeline/training_data.ts";

/** Photographs with the same bytes. */
export interface Duplicates {
  /** Names of those that are the same, group by group. */
  readonly groups: readonly (readonly string[])[];
  /** Groups that lie in several splits: what is tested with was learnt from. */
  readonly acrossSplits: number;
}

const NAMES = ["train", "validation", "test"] as const;

/**
 * Finds photographs that several splits have.
 *
 * @param splits The splits.
 * @returns Their names.
 */
export function photographsInTwoSplits(splits: Splits<Example>): string[] {
  const seen = NAMES.map((name) => new Set(splits[name].map(({ photograph }) => photograph)));
  const all = new Set(seen.flatMap((photographs) => [...photographs]));
  return [...all].filter((photograph) => seen.filter((photographs) => photographs.has(photograph)).length > 1)
    .map(({ name }) => name);
}

/**
 * Finds photographs with the same bytes.
 *
 * @param photographs The photographs.
 * @param contents A digest of each one's bytes.
 * @param splits What they are used for.
 * @returns Those of which there are several.
 */
export function findDuplicates(
  photographs: readonly Photograph[],
  contents: readonly string[],
  splits: Splits<Example>,
): Duplicates {
  const members = photographs.map((photograph, index) => ({ photograph, content: contents[index] ?? "" }));
  const groups = [...Map.groupBy(members, ({ content }) => content).values()].filter(({ length }) => length > 1)
    .map((group) => group.map(({ photograph }) => photograph));
  const splitsOf = new Map<Photograph, Set<string>>();
  for (const name of NAMES) {
    for (const { photograph } of splits[name]) {
      splitsOf.set(photograph, (splitsOf.get(photograph) ?? new Set()).add(name));
    }
  }
  const across = (group: readonly Photograph[]) =>
    new Set(group.flatMap((photograph) => [...splitsOf.get(photograph) ?? []])).size > 1;
  return {
    groups: groups.map((group) => group.map(({ name }) => name)),
    acrossSplits: groups.filter(across).length,
  };
}
