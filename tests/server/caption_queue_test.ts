import assert from "node:assert/strict";
import { CaptionQueue } from "../../src/server/caption_queue.ts";
import { fakeModel } from "../support/fake_model.ts";

const NEVER = new AbortController().signal;
const image = (width: number) => ({ width, height: 1, pixels: new Uint8Array(3 * width) });
const widths = (asked: ReturnType<typeof fakeModel>["asked"]) => asked.map(({ widths }) => [...widths]);

Deno.test("CaptionQueue batches images that arrive at the same time, 16 at a time, in their order", async () => {
  const { model, asked } = fakeModel();
  const queue = new CaptionQueue(model);
  const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
  const captions = await Promise.all(numbers.map((width) => queue.caption(image(width), {}, NEVER)));
  assert.deepEqual(captions.map(({ text }) => text), numbers.map((width) => `${width} wide`));
  assert.deepEqual(widths(asked), [numbers.slice(0, 16), numbers.slice(16, 32), numbers.slice(32)]);
  assert.equal(queue.batches, 3);
});

Deno.test("CaptionQueue batches images that arrive while the model is busy", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { model, asked } = fakeModel({ until: () => promise });
  const queue = new CaptionQueue(model);
  const first = queue.caption(image(1), {}, NEVER);
  while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const others = [2, 3, 4].map((width) => queue.caption(image(width), {}, NEVER));
  resolve();
  await Promise.all([first, ...others]);
  assert.deepEqual(widths(asked), [[1], [2, 3, 4]]);
});

Deno.test("CaptionQueue batches images by decoding options, the oldest first", async () => {
  const { model, asked } = fakeModel();
  const queue = new CaptionQueue(model);
  const beams = [1, 5, 1, 5];
  await Promise.all(beams.map((beam, index) => queue.caption(image(index + 1), { beamSize: beam }, NEVER)));
  assert.deepEqual(asked, [{ widths: [1, 3], decoding: { beamSize: 1 } }, {
    widths: [2, 4],
    decoding: { beamSize: 5 },
  }]);
});

Deno.test("CaptionQueue skips requests whose client is gone", async () => {
  const { model, asked } = fakeModel();
  const queue = new CaptionQueue(model);
  const gone = new AbortController();
  const [left, kept] = [queue.caption(image(1), {}, gone.signal), queue.caption(image(2), {}, NEVER)];
  gone.abort(new RangeError("gone"));
  await assert.rejects(left, RangeError);
  assert.equal((await kept).text, "2 wide");
  assert.deepEqual(widths(asked), [[2]]);
});

Deno.test("CaptionQueue rejects a waiting request as soon as its client leaves, while the model is busy", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { model, asked } = fakeModel({ until: () => promise });
  const queue = new CaptionQueue(model);
  const first = queue.caption(image(1), {}, NEVER);
  while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const gone = new AbortController();
  const left = queue.caption(image(2), {}, gone.signal);
  gone.abort(new RangeError("gone"));
  await assert.rejects(left, RangeError);
  resolve();
  await first;
});

Deno.test("CaptionQueue rejects a failed batch, and continues with the next", async () => {
  const failure = new Error("no");
  const { model } = fakeModel({ failure });
  const queue = new CaptionQueue(model);
  for (let turn = 0; turn < 2; turn++) await assert.rejects(queue.caption(image(1), {}, NEVER), failure);
  assert.equal(queue.batches, 2);
});
