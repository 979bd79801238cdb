import assert from "node:assert/strict";
import { readStandardInput } from "../../src/images/standard_input.ts";
import { InputError } from "../../src/input_error.ts";
import images from "../golden/images.json" with { type: "json" };

const PNG = Uint8Array.fromBase64(images.images["rgb.png"].file);
const JPEG = Uint8Array.fromBase64(images.images["rgb-420.jpg"].file);
const bytes = (text: string) => new TextEncoder().encode(text);

/** A stream in chunks of limited size. */
function streamOf(all: Uint8Array<ArrayBuffer>, piece = all.length): ReadableStream<Uint8Array<ArrayBuffer>> {
  const pieces = Array.from({ length: Math.ceil(all.length / piece) }, (_, i) => all.slice(i * piece, (i + 1) * piece));
  return ReadableStream.from(pieces);
}

async function pathsOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>, signal?: AbortSignal): Promise<string[]> {
  const input = await readStandardInput(stream, signal);
  assert("paths" in input);
  const paths: string[] = [];
  for await (const path of input.paths) paths.push(path);
  return paths;
}

for (const piece of [1, 7, 100_000]) {
  Deno.test(`readStandardInput() knows an image by its first bytes, in pieces of ${piece}`, async () => {
    for (const file of [PNG, JPEG]) {
      const input = await readStandardInput(streamOf(file, piece));
      assert("image" in input);
      assert.equal(input.image.toHex(), file.toHex());
    }
    // Not a JPEG or PNG, but no list of paths either.
    const gif = bytes("GIF89a\0\0\0\0\0\0\0\0\0\0");
    assert("image" in await readStandardInput(streamOf(gif, piece)));
  });

  Deno.test(`readStandardInput() reads paths, one per line, in pieces of ${piece}`, async () => {
    const text = "a.jpg\r\n\n  \nfolder/ä ö.png\n犬.jpg\n- x \nlast.png";
    const expected = ["a.jpg", "folder/ä ö.png", "犬.jpg", "- x ", "last.png"];
    assert.deepEqual(await pathsOf(streamOf(bytes(text), piece)), expected);
    assert.deepEqual(await pathsOf(streamOf(bytes(`${text}\n`), piece)), expected);
  });
}

Deno.test("readStandardInput() yields a path as soon as its line has arrived", async () => {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const writer = writable.getWriter();
  writer.write(bytes("a.jpg\nb"));
  const input = await readStandardInput(readable);
  assert("paths" in input);
  const paths = input.paths[Symbol.asyncIterator]();
  assert.equal((await paths.next()).value, "a.jpg");
  writer.write(bytes(".jpg\n"));
  assert.equal((await paths.next()).value, "b.jpg");
  writer.close();
  assert.equal((await paths.next()).done, true);
});

Deno.test("readStandardInput() ends the paths at the signal, although the next never arrives", async () => {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const controller = new AbortController();
  writable.getWriter().write(bytes("a.jpg\n"));
  setTimeout(() => controller.abort(), 5);
  assert.deepEqual(await pathsOf(readable, controller.signal), ["a.jpg"]);
});

const REFUSED: Record<string, [content: Uint8Array<ArrayBuffer>, message: RegExp]> = {
  "nothing": [bytes(""), /^Cannot read images: standard input is empty; give it an image, or one path per line$/],
  "a text that is none": [
    Uint8Array.of(...bytes("image-1.jpg\n".repeat(9)), 0xff, 0xfe),
    /^Cannot read paths: standard input is neither an image nor text in UTF-8$/,
  ],
  "paths that are not UTF-8": [
    Uint8Array.of(...bytes("in/b"), 0xff, ...bytes(".png\nin/a.png\n")),
    /^Cannot read images: standard input is neither an image nor text in UTF-8$/,
  ],
  "a line without end": [
    bytes("x".repeat(100_000)),
    /^Cannot read paths: a line is not a path; give one path per line$/,
  ],
};

for (const [what, [content, message]] of Object.entries(REFUSED)) {
  Deno.test(`readStandardInput() rejects ${what} in one line`, async () => {
    await assert.rejects(pathsOf(streamOf(content, 50)), (error) => {
      assert(error instanceof InputError);
      assert.match(error.message, message);
      return true;
    });
  });
}
