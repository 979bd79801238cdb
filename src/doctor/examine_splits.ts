import type { Example } from "../data/dataset.ts";
import type { Splits } from "../data/splits.ts";
import type { EncodedExample } from "../pipeline/training_data.ts";

/** Images with identical bytes. */
export interface Duplicates {
  /** Names of identical images, a group each. */
  readonly groups: readonly (readonly string[])[];
  /** Number of groups with images in more than one split. */
  readonly acrossSplits: number;
}

const NAMES = ["train", "validation", "test"] as const;

/** Names of images in more than one split. */
export function imagesInTwoSplits(splits: Splits<EncodedExample>): string[] {
  const seen = NAMES.map((name) => new Set(splits[name].map(({ example }) => example)));
  const all = new Set(seen.flatMap((examples) => [...examples]));
  return [...all].filter((example) => seen.filter((examples) => examples.has(example)).length > 1)
    .map(({ name }) => name);
}

/** Finds images with identical bytes; `contents` has a digest of each example's file. */
export function findDuplicates(
  examples: readonly Example[],
  contents: readonly string[],
  splits: Splits<EncodedExample>,
): Duplicates {
  const members = examples.map((example, index) => ({ example, content: contents[index] ?? "" }));
  const groups = [...Map.groupBy(members, ({ content }) => content).values()].filter(({ length }) => length > 1)
    .map((group) => group.map(({ example }) => example));
  const splitsOf = new Map<Example, Set<string>>();
  for (const name of NAMES) {
    for (const { example } of splits[name]) {
      splitsOf.set(example, (splitsOf.get(example) ?? new Set()).add(name));
    }
  }
  const across = (group: readonly Example[]) =>
    new Set(group.flatMap((example) => [...splitsOf.get(example) ?? []])).size > 1;
  return {
    groups: groups.map((group) => group.map(({ name }) => name)),
    acrossSplits: groups.filter(across).length,
  };
}
