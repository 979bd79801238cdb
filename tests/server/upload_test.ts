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

Deno.test("readUpload() copies each chunk as it arrives, and keeps no more memory than the bytes need", async () => {
  const chunk = new Uint8Array(2 ** 16); // of which one byte is used, as by Deno's server
  let count = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (count === 100) return controller.close();
      chunk[0] = count++;
      controller.enqueue(chunk.subarray(0, 1));
    },
  }, { highWaterMark: 0 });
  const bytes = await readUpload(request(body), OPTIONS);
  assert.deepEqual([...bytes], Array.from({ length: 100 }, (_, index) => index));
  assert.equal(bytes.buffer.byteLength, 100);
});

Deno.test("readUpload() lets others have a turn while it reads many chunks that are there already", async () => {
  let others = false;
  const timer = setTimeout(() => others = true);
  const body = new ReadableStream({
    pull: (controller) => others ? controller.close() : controller.enqueue(new Uint8Array(1)),
  }, { highWaterMark: 0 });
  await readUpload(request(body), { ...OPTIONS, most: 1e6 }); // would be refused if it read on
  clearTimeout(timer);
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

Deno.test("readUpload() finds the file between other parts, whatever bytes it holds", async () => {
  const file = new Uint8Array(100_000).map((_, index) => "\r\n--x".charCodeAt(index % 5) ^ Number(index > 50_000));
  const form = new FormData();
  form.set("images", new Blob([Uint8Array.of(1)]), "other.jpg");
  form.set("text", "\r\n\r\n; name=image; filename=a.jpg");
  form.set("image", new Blob([file]), "photo of a 'dog\".jpg");
  form.set("last", "text");
  const bytes = await readUpload(request(form), { ...OPTIONS, most: 200_000 });
  assert.deepEqual(bytes, file);
  assert.equal(bytes.buffer.byteLength, file.length);
});

Deno.test("readUpload() reads forms as programs write them, and refuses those that are cut or have no end of parts", async () => {
  const read = async (text: string, boundary = "x") => {
    const headers = { "content-type": `multipart/form-data; charset=utf-8; boundary=${boundary}` };
    return new TextDecoder().decode(await readUpload(request(text, headers), { ...OPTIONS, most: 1e6 }));
  };
  const part =
    '--x\r\nContent-Type: image/png\r\ncontent-disposition: form-data; filename="a.png"; name=image\r\n\r\nabc';
  assert.equal(await read(`${part}\r\n--x--\r\n`), "abc");
  assert.equal(await read(`preamble\r\n${part}\r\n--x--`, '"x"'), "abc");
  const other = "--x\r\n\r\n\r\n";
  assert.equal(await read(`${other.repeat(999)}${part}\r\n--x--`), "abc");
  const refused = {
    "no end": part,
    "nothing": "",
    "a boundary only": "--x",
    "another boundary": "--y--",
    "long headers": `--x\r\n${" ".repeat(5000)}${part}\r\n--x--`,
    "1000 other parts": `${other.repeat(1000)}${part}\r\n--x--`,
  };
  for (const [name, text] of Object.entries(refused)) {
    await assert.rejects(
      read(text),
      (error) => status(400)(error) && /^Problem: The form cannot be read/.test(String(error)),
      name,
    );
  }
  await assert.rejects(read("--undefined--", ""), /The form cannot be read/);
});

Deno.test("readUpload() finds the file in a form, and refuses text in its place", async () => {
  const form = new FormData();
  form.set("image", new Blob([Uint8Array.of(7)]), "a.jpg");
  assert.deepEqual([...await readUpload(request(form), { ...OPTIONS, most: 1000 })], [7]);
  form.set("image", "text");
  await assert.rejects(readUpload(request(form), { ...OPTIONS, most: 1000 }), status(400));
});
