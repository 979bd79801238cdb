// Ranks of a process group in one process.

import type { ProcessGroup } from "../../src/distributed/process_group.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Creates ranks whose calls match by order; a call that not all ranks make never returns. */
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
      rank,
      worldSize: size,
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

/** Runs work on all ranks; returns their results, or rejects with the first error. */
export async function together<Result>(
  size: number,
  work: (group: ProcessGroup) => Promise<Result>,
): Promise<Result[]> {
  return await Promise.all(localRanks(size).map(work));
}
