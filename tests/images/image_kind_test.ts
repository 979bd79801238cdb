import assert from "node:assert/strict";
import { imageKind } from "../../src/images/image_kind.ts";
import { lfsPointer } from "../support/lfs_pointer.ts";

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
  assert.equal(imageKind(bytesOf(lfsPointer())), "Git LFS");
  assert.equal(imageKind(new Uint8Array()), "empty file");
  assert.equal(imageKind(Uint8Array.of(1, 2, 3)), "unknown");
});

Deno.test("imageKind() reads text made of comments", () => {
  assert.equal(imageKind(bytesOf("<!---->".repeat(72))), "text");
});

Deno.test("imageKind() calls sentences text, in any alphabet and cut anywhere", () => {
  assert.equal(imageKind(bytesOf("A dog runs over the grass .\r\n")), "text");
  assert.equal(imageKind(bytesOf("BMX riders at the beach jump high")), "text");
  assert.equal(imageKind(bytesOf("é".repeat(300)).subarray(0, 511)), "text");
  assert.equal(imageKind(Uint8Array.of(0x61, 0xff, 0x61)), "unknown");
});
