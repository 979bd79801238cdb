import assert from "node:assert/strict";
import { Problem } from "../../src/server/problem.ts";
import { readUpload } from "../../src/server/upload.ts";

const NEVER = new AbortController().signal;
const OPTIONS = { most: 100, take: () => {}, signal: NEVER };
const request = (body: BodyInit, headers: HeadersInit = {}) =>
  new Request("http://localhost", { method: "POST", body, headers });
const inPieces = (...sizes: readonly number[]) =>
  ReadableStream.from(sizes.map((size, piece) => new Uint8Array(size).fill(piece + 1)));
const status = (expected: number) => (error: unknown) => error instanceof Problem && error.status === expected;

Deno.test("readUpload() joins a body's chunks, and counts each as it arrives", async () => {
  const taken: number[] = [];
  const bytes = await readUpload(request(inPieces(2, 1, 3)), { ...OPTIONS, take: (count) => void taken.push(count) });
  assert.deepEqual([...bytes], [1, 1, 2, 3, 3, 3]);
  assert.deepEqual(taken, [2, 1, 3]);
});

Deno.test("readUpload() accepts bytes up to the limit, and refuses one more, announced or sent", async () => {
  assert.equal((await readUpload(request(new Uint8Array(100)), OPTIONS)).length, 100);
  assert.equal((await readUpload(request(inPieces(60, 40)), OPTIONS)).length, 100);
  await assert.rejects(readUpload(request(inPieces(60, 41)), OPTIONS), status(413));
  let asked = 0;
  const body = new ReadableStream({ pull: () => void asked++ }, { highWaterMark: 0 });
  await assert.rejects(readUpload(request(body, { "content-length": "101" }), OPTIONS), status(413));
  assert.equal(asked, 0);
});

Deno.test("readUpload() stops if there is no room for the bytes", async () => {
  const take = () => {
    throw new Problem(429, "full");
  };
  await assert.rejects(readUpload(request(inPieces(1, 1)), { ...OPTIONS, take }), status(429));
});

Deno.test("readUpload() reports an interrupted body and an aborted signal", async () => {
  const broken = new ReadableStream({ pull: (controller) => controller.error(new TypeError("reset")) });
  await assert.rejects(readUpload(request(broken), OPTIONS), (error) => {
    return status(400)(error) && /^Problem: The upload was interrupted$/.test(String(error));
  });
  const client = new AbortController();
  const waiting = readUpload(request(new ReadableStream()), { ...OPTIONS, signal: client.signal });
  client.abort(new RangeError("late"));
  await assert.rejects(waiting, RangeError);
});

Deno.test("readUpload() finds the file in a form, and refuses text in its place", async () => {
  const form = new FormData();
  form.set("image", new Blob([Uint8Array.of(7)]), "a.jpg");
  assert.deepEqual([...await readUpload(request(form), { ...OPTIONS, most: 1000 })], [7]);
  form.set("image", "text");
  await assert.rejects(readUpload(request(form), { ...OPTIONS, most: 1000 }), status(400));
});
