import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_LINE_BYTES, tokenizeLines } from "../../src/text/tokenize_lines.ts";
import { InputError } from "../../src/input_error.ts";

const encoder = new TextEncoder();

async function* piecesOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) {
    yield await Promise.resolve(bytes.slice(start, start + size));
  }
}

async function linesOf(input: string | Uint8Array, size = 1e6, marks: string[] = []): Promise<string[]> {
  const bytes = typeof input === "string" ? encoder.encode(input) : input;
  for await (const text of tokenizeLines(piecesOf(bytes, size), (line) => [...line])) marks.push(text);
  return marks;
}

async function textOf(input: string | Uint8Array, size?: number): Promise<string> {
  return (await linesOf(input, size)).join("");
}

Deno.test("tokenizeLines() prints a line for each line, empty ones too", async () => {
  assert.equal(await textOf("ab\n\nc\n"), "a b\n\nc\n");
  assert.equal(await textOf(""), "");
  assert.equal(await textOf("\n"), "\n");
  assert.equal(await textOf("\n\n"), "\n\n");
});

Deno.test("tokenizeLines() takes a last line without its end, CRLF and a byte order mark", async () => {
  assert.equal(await textOf("ab\ncd"), "a b\nc d\n");
  assert.equal(await textOf("\ufeffab\r\n\r\ncd\r"), "a b\n\nc d\n");
  assert.equal(await textOf("a\rb\n"), "a \r b\n");
  assert.equal(await textOf("a\n\ufeffb\n"), "a\n\ufeff b\n");
});

Deno.test("tokenizeLines() gives the same for pieces of any size", async () => {
  const size = fc.integer({ min: 1, max: 9 });
  await fc.assert(fc.asyncProperty(fc.string({ unit: "binary" }), size, async (text, size) => {
    const input = `${text.toWellFormed()}\n犬\r\n🐕`;
    assert.equal(await textOf(input, size), await textOf(input));
  }));
});

Deno.test("tokenizeLines() yields complete lines before it waits for more", async () => {
  const marks = await linesOf("a\nb\nc", 2);
  assert.deepEqual(marks, ["a\n", "b\n", "c\n"]);
});

Deno.test("tokenizeLines() rejects invalid UTF-8 with the line's number, after the lines before it", async () => {
  for (const bad of [[0xff], [0xe7, 0x8a], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
    const marks: string[] = [];
    const input = Uint8Array.of(...encoder.encode("ab\n\n"), ...bad, 10, 97);
    await assert.rejects(linesOf(input, 3, marks), {
      name: "InputError",
      message: "Cannot tokenize: line 3 of the input is not UTF-8; convert the text",
    });
    assert.equal(marks.join(""), "a b\n\n");
  }
});

Deno.test("tokenizeLines() rejects a line that is too long without reading it to its end", async () => {
  let read = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield encoder.encode("ab\n");
    while (true) {
      read += 65_536;
      yield await Promise.resolve(new Uint8Array(65_536).fill(97));
    }
  }
  const marks: string[] = [];
  await assert.rejects(async () => {
    for await (const text of tokenizeLines(endless(), (line) => [line])) marks.push(text);
  }, (error) => {
    assert.ok(error instanceof InputError);
    assert.equal(
      error.message,
      "Cannot tokenize: line 2 of the input is longer than 4 MB; give one caption on each line",
    );
    return true;
  });
  assert.deepEqual(marks, ["ab\n"]);
  assert.ok(read < MAX_LINE_BYTES + 2 * 65_536);
});

Deno.test("tokenizeLines() takes a line of the greatest length", async () => {
  const line = encoder.encode("a".repeat(MAX_LINE_BYTES));
  const texts: string[] = [];
  for await (const text of tokenizeLines(piecesOf(line, 65_536), (line) => [line])) texts.push(text);
  assert.equal(texts.join("").length, MAX_LINE_BYTES + 1);
});
