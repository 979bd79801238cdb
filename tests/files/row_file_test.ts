import assert from "node:assert/strict";
import { RowFile } from "../../src/files/row_file.ts";
import { canRead, canWrite } from "../support/test_data.ts";

const files = { ignore: !canRead || !canWrite };

Deno.test("RowFile gives rows back in their order, as often as they are asked for", files, async () => {
  using file = await RowFile.create();
  assert.deepEqual(await Array.fromAsync(file.rows()), []);
  const long = Float32Array.from({ length: 100_000 }, (_, index) => index / 7);
  for (const row of [long, long.toReversed()]) await file.append(row);
  for (let time = 0; time < 2; time++) {
    const [first, second, ...rest] = await Array.fromAsync(file.rows());
    assert(first !== undefined && second !== undefined && rest.length === 0);
    assert(first.every((value, index) => value === long[index]));
    assert(second.every((value, index) => value === long.at(-1 - index)));
  }
});

Deno.test("RowFile takes rows of one length", files, async () => {
  using file = await RowFile.create();
  await file.append(Float32Array.of(1, 2));
  await assert.rejects(file.append(Float32Array.of(1)), RangeError);
  assert.deepEqual(await Array.fromAsync(file.rows()), [Float32Array.of(1, 2)]);
});
