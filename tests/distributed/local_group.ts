/**
 * ProcessGroup of one process, for what they tell each other.
 *
 * @module
 */

import type { ProcessGroup } from "../../src/distributed/process_group.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Makes ranks whose calls meet each other by their order; a call that not all make waits for ever. */
export function localRanks(size: number): ProcessGroup[] {
  const meetings: { readonly parts: Bytes[]; readonly all: PromiseWithResolvers<Bytes[]>; left: number }[] = [];

  function make(rank: number): ProcessGroup {
    let calls = 0;

    async function meet(bytes: Bytes): Promise<Bytes[]> {
      const call = calls++;
      const meeting = meetings[call] ??= { parts: [], all: Promise.withResolvers(), left: size };
      meeting.parts[rank] = bytes.slice();
      if (--meeting.left === 0) meeting.all.resolve(meeting.parts);
      return (await meeting.all.promise).map((part) => part.slice());
    }

    return {
      ...{ rank, worldSize: size },
      async allReduce(values) {
        const parts = (await meet(new Uint8Array(values.slice().buffer))).map(({ buffer }) => new Float64Array(buffer));
        for (const index of values.keys()) values[index] = parts.reduce((sum, part) => sum + (part[index] ?? NaN), 0);
      },
      allGather: meet,
      broadcast: async (bytes) => (await meet(rank === 0 ? bytes : new Uint8Array()))[0] ?? bytes,
    };
  }

  return Array.from({ length: size }, (_, rank) => make(rank));
}

/** Lets each rank do something at the same time; gives what each returns, or the error of the first that fails. */
export async function together<Result>(
  size: number,
  work: (group: ProcessGroup) => Promise<Result>,
): Promise<Result[]> {
  return await Promise.all(localRanks(size).map(work));
}
