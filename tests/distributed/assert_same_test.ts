import assert from "node:assert/strict";
import { assertSameOnAllRanks } from "../../src/distributed/assert_same.ts";
import { SINGLE_PROCESS } from "../../src/distributed/process_group.ts";
import { InputError } from "../../src/input_error.ts";
import { localRanks, together } from "./local_group.ts";

Deno.test("assertSameOnAllRanks() accepts equal ranks, and a single process", async () => {
  await together(
    3,
    (group) => assertSameOnAllRanks(group, { seed: 1, recipe: { name: "lrcn", learningRates: [1, 2] } }),
  );
  await assertSameOnAllRanks(SINGLE_PROCESS, { seed: 1 });
});

Deno.test("assertSameOnAllRanks() names the differing rank and values on all ranks", async () => {
  const words = Array.from({ length: 50 }, (_, index) => `word${index}`);
  const asked = localRanks(3).map((group) =>
    assertSameOnAllRanks(group, {
      ...{ precision: group.rank === 2 ? "bf16" : "fp32", seed: 1 },
      "the vocabulary": group.rank === 2 ? words : words.toReversed(),
    })
  );
  for (const end of await Promise.allSettled(asked)) {
    assert(end.status === "rejected" && end.reason instanceof InputError);
    assert.match(
      end.reason.message,
      /^Cannot work together: rank 2 differs from rank 0 in precision \("fp32"; "bf16"\) and the vocabulary \(\w{12}; \w{12}\); /,
    );
  }
});
