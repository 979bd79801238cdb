import assert from "node:assert/strict";
import fc from "fast-check";
import { ImageError } from "../../src/images/image_error.ts";
import { imageKind, readImageHeader } from "../../src/images/image_header.ts";
import golden from "../golden/images.json" with { type: "json" };

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("imageKind() detects formats by their first bytes", () => {
  const ftyp = (brand: string) => bytesOf(`\0\0\0\x20ftyp${brand}\0\0\0\0`);
  assert.equal(imageKind(bytesOf("RIFF\x10\0\0\0WEBPVP8 ")), "WebP");
  assert.equal(imageKind(ftyp("avif")), "AVIF");
  assert.equal(imageKind(ftyp("heic")), "HEIC");
  assert.equal(imageKind(ftyp("isom")), "unknown");
  assert.equal(imageKind(bytesOf("II*\0\x08\0\0\0")), "TIFF");
  assert.equal(imageKind(bytesOf("MM\0*\0\0\0\x08")), "TIFF");
  assert.equal(imageKind(bytesOf("GIF89a")), "GIF");
  assert.equal(imageKind(bytesOf("BM\x46\0\0\0\0\0\0\0\x36")), "BMP");
  assert.equal(imageKind(bytesOf("\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf")), "AVIF");
  assert.equal(imageKind(bytesOf("\0\0\0\x0cjP  \r\n")), "JPEG 2000");
  assert.equal(imageKind(Uint8Array.of(0xff, 0x0a, 0, 0)), "JPEG XL");
  assert.equal(imageKind(bytesOf("%PDF-1.4\n%\xe2")), "PDF");
  assert.equal(imageKind(bytesOf('<?xml version="1.0"?>\n<!-- drawn --><svg width="9">')), "SVG");
  assert.equal(imageKind(bytesOf("\ufeff\n<!DOCTYPE html><html>")), "HTML");
  assert.equal(imageKind(new Uint8Array()), "empty file");
  assert.equal(imageKind(Uint8Array.of(1, 2, 3)), "unknown");
});

Deno.test("imageKind() takes no time over text made of comments", () => {
  const start = performance.now();
  assert.equal(imageKind(bytesOf("<!---->".repeat(72))), "text");
  assert.ok(performance.now() - start < 500);
});

Deno.test("imageKind() calls sentences text, in any alphabet and cut anywhere", () => {
  assert.equal(imageKind(bytesOf("A dog runs over the grass .\r\n")), "text");
  assert.equal(imageKind(bytesOf("BMX riders at the beach jump high")), "text");
  assert.equal(imageKind(bytesOf("é".repeat(300)).subarray(0, 511)), "text");
  assert.equal(imageKind(Uint8Array.of(0x61, 0xff, 0x61)), "unknown");
});

Deno.test("readImageHeader() reads the size and the components of JPEGs and PNGs", () => {
  for (const [name, { file, width, height }] of Object.entries(golden.images)) {
    const header = readImageHeader(Uint8Array.fromBase64(file));
    assert.deepEqual([header.width, header.height, header.orientation], [width, height, 1], name);
    assert.equal(header.kind, name.endsWith(".png") ? "png" : "jpeg", name);
  }
  const components = (file: string) => readImageHeader(Uint8Array.fromBase64(file)).components;
  assert.equal(components(golden.images["gray.jpg"].file), 1);
  assert.equal(components(golden.images["rgb-420.jpg"].file), 3);
  assert.equal(components(golden.images["cmyk.jpg"].file), 4);
  assert.equal(components(golden.images["gray-alpha.png"].file), 2);
});

Deno.test("readImageHeader() names the format of other images and the remedy", () => {
  const message = (bytes: Uint8Array, pattern: RegExp) =>
    assert.throws(() => readImageHeader(bytes), (error) => error instanceof ImageError && pattern.test(error.message));
  message(
    bytesOf("RIFF\x10\0\0\0WEBPVP8 "),
    /^Cannot decode image: the file is a WebP image, convert it to JPEG or PNG$/,
  );
  message(bytesOf("hello"), /the file is text/);
  message(new Uint8Array(), /the file is empty/);
  message(bytesOf("<html><body>404</body></html>"), /the file is a web page \(HTML\), .* download the image itself$/);
  message(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16), /the JPEG ends too early/);
  message(Uint8Array.of(0xff, 0xd8, 0xff, 0xd9, 0, 0), /it has no frame header/);
  message(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 1), /segment shorter/);
  message(Uint8Array.fromBase64(golden.images["rgb.png"].file).subarray(0, 30), /the PNG ends too early/);
});

Deno.test("readImageHeader() rejects the kinds of JPEG that cannot be decoded", () => {
  const frame = (marker: number, precision: number, height: number, components: number, factors = 0x11) => {
    const names = Array.from({ length: components }, (_, index) => [index + 1, factors, 0]).flat();
    const content = [precision, 0, height, 0, 5, components, ...names];
    return Uint8Array.from([0xff, 0xd8, 0xff, marker, 0, content.length + 2, ...content, 0xff, 0xda, 0, 2]);
  };
  assert.throws(() => readImageHeader(frame(0xc9, 8, 5, 3)), /arithmetic/);
  assert.throws(() => readImageHeader(frame(0xc1, 12, 5, 3)), /12 bits/);
  assert.throws(() => readImageHeader(frame(0xc0, 8, 5, 2)), /2 components/);
  assert.throws(() => readImageHeader(frame(0xc0, 8, 0, 3)), /5 x 0 pixels/);
  assert.throws(() => readImageHeader(frame(0xc0, 8, 5, 3, 0x01)), /sampling factors/);
  assert.throws(() => readImageHeader(frame(0xc0, 8, 5, 3).subarray(0, -4)), /the JPEG ends too early/);
  assert.equal(readImageHeader(frame(0xc0, 8, 5, 3)).height, 5);
});

Deno.test("readImageHeader() skips tables, thumbnails and stray bytes before a JPEG's frame header", () => {
  const segment = (marker: number, ...content: number[]) => [0xff, marker, 0, content.length + 2, ...content];
  const frame = segment(0xc0, 8, 0, 7, 0, 5, 1, 1, 0x11, 0);
  const thumbnail = segment(0xe1, 0xff, 0xd8, ...segment(0xc0, 8, 0, 1, 0, 1, 1, 1, 0x11, 0), 0xff, 0xd9);
  const tables = [...segment(0xc4, 0, 1, 8, 9, 9, 9, 9, 1), ...segment(0xcc, 0, 0x10)];
  const bytes = Uint8Array.from([0xff, 0xd8, ...thumbnail, ...tables, 1, 2, 0xff, ...frame, ...segment(0xda, 1)]);
  const { width, height, components, end } = readImageHeader(bytes);
  assert.deepEqual({ width, height, components, end }, { width: 5, height: 7, components: 1, end: bytes.length - 5 });
});

Deno.test("readImageHeader() answers any bytes with a header or an ImageError", () => {
  const starts = fc.constantFrom(
    [0xff, 0xd8, 0xff],
    [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52],
    [],
  );
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0xff, 0xc0, 0));
  fc.assert(fc.property(starts, fc.array(byte, { maxLength: 60 }), (start, rest) => {
    try {
      const header = readImageHeader(Uint8Array.from([...start, ...rest]));
      assert.ok(header.width > 0 && header.height > 0);
    } catch (error) {
      assert.ok(error instanceof ImageError, String(error));
    }
  }));
});
