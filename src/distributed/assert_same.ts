/**
 * What ranks must have in common.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import { allGatherObject } from "./collectives.ts";
import type { ProcessGroup } from "./process_group.ts";

/**
 * Refuses ranks that differ from the first.
 *
 * @param ranks The ranks.
 * @param values What must be equal, by names that a person understands: what JSON can hold.
 * @throws {InputError} On all ranks, if one differs; the message says which and in what.
 */
export async function assertSameOnAllRanks(
  group: ProcessGroup,
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (group.worldSize === 1) return;
  const digests: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) digests[name] = await describe(value);
  const [first = {}, ...others] = await allGatherObject(group, digests);
  for (const [index, other] of others.entries()) {
    const names = Object.keys(first).filter((name) => first[name] !== other[name]);
    if (names.length === 0) continue;
    const differing = names.map((name) => `${name} (${first[name]}; ${other[name]})`).join(" and ");
    throw new InputError(
      `Cannot work together: rank ${index + 1} differs from rank 0 in ${differing}; start all with the same`,
    );
  }
}

const SHOWN = 40;

/** Short values as they are, long ones by their digest. */
async function describe(value: unknown): Promise<string> {
  const text = JSON.stringify(value) ?? "nothing";
  if (text.length <= SHOWN) return text;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex().slice(0, 12);
}
