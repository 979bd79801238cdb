import { sha256 } from "../files/sha256.ts";
import { InputError } from "../input_error.ts";
import { allGatherObject } from "./collectives.ts";
import type { ProcessGroup } from "./process_group.ts";

/**
 * Asserts that values are equal on all ranks.
 *
 * @param values JSON values by the names that the message shows.
 * @throws {InputError} On all ranks, if one differs from rank 0; the message says which and in what.
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
  return (await sha256(text)).slice(0, 12);
}
