import assert from "node:assert/strict";
import { readRendezvous } from "../../src/ffi/rendezvous.ts";
import { InputError } from "../../src/input_error.ts";

const SET = { RANK: "1", WORLD_SIZE: "4", LOCAL_RANK: "0", MASTER_ADDR: "node0", MASTER_PORT: "29500" };
const read = (variables: Readonly<Record<string, string | undefined>>) => readRendezvous((name) => variables[name]);

Deno.test("readRendezvous() returns undefined without torchrun's variables", () => {
  assert.equal(read({}), undefined);
  assert.equal(read({ MASTER_ADDR: "left over" }), undefined);
});

Deno.test("readRendezvous() reads what torchrun sets", () => {
  assert.deepEqual(
    read({ ...SET, TORCHELASTIC_USE_AGENT_STORE: "True", TORCHELASTIC_RESTART_COUNT: "2", TORCHELASTIC_RUN_ID: "job" }),
    {
      ...{
        rank: 1,
        worldSize: 4,
        localRank: 0,
        address: "node0",
        port: 29500,
        hosted: true,
        prefix: "lrcn/job",
        restarted: true,
      },
    },
  );
  assert.deepEqual([read(SET)?.hosted, read(SET)?.prefix], [false, "lrcn/"]);
});

Deno.test("readRendezvous() does not guess a local rank", () => {
  assert.equal(read({ ...SET, LOCAL_RANK: undefined })?.localRank, undefined);
  assert.equal(read({ ...SET, LOCAL_RANK: "3" })?.localRank, 3);
});

Deno.test("readRendezvous() names missing and invalid variables", () => {
  const refused = (changes: Readonly<Record<string, string | undefined>>, pattern: RegExp) =>
    assert.throws(
      () => read({ ...SET, ...changes }),
      (error) => error instanceof InputError && pattern.test(error.message),
    );
  refused({ RANK: undefined }, /RANK is not set/);
  refused({ WORLD_SIZE: "0" }, /WORLD_SIZE is 0/);
  refused({ LOCAL_RANK: "-1" }, /LOCAL_RANK is -1/);
  refused({ MASTER_PORT: "x" }, /MASTER_PORT is x/);
  refused({ MASTER_ADDR: undefined }, /MASTER_ADDR is not set/);
  refused({ RANK: "4" }, /RANK 4 is not below WORLD_SIZE 4/);
});
