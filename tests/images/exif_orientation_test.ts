import assert from "node:assert/strict";
import fc from "fast-check";
import { exifOrientation } from "../../src/images/exif_orientation.ts";

/** One directory with one entry. */
function exif(tag: number, type: number, value: number, little = false): Uint8Array {
  const view = new DataView(new ArrayBuffer(26));
  view.setUint16(0, little ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, little);
  view.setUint32(4, 8, little);
  view.setUint16(8, 1, little);
  view.setUint16(10, tag, little);
  view.setUint16(12, type, little);
  view.setUint32(14, 1, little);
  if (type === 3) view.setUint16(18, value, little);
  else view.setUint32(18, value, little);
  return new Uint8Array(view.buffer);
}

Deno.test("exifOrientation() reads both byte orders and both widths of numbers", () => {
  for (let value = 1; value <= 8; value++) {
    for (const type of [3, 4]) {
      for (const little of [false, true]) assert.equal(exifOrientation(exif(0x0112, type, value, little)), value);
    }
  }
});

Deno.test("exifOrientation() is 1 if the data have none or make no sense", () => {
  assert.equal(exifOrientation(exif(0x0111, 3, 6)), 1);
  assert.equal(exifOrientation(exif(0x0112, 3, 0)), 1);
  assert.equal(exifOrientation(exif(0x0112, 3, 9)), 1);
  assert.equal(exifOrientation(exif(0x0112, 2, 6)), 1);
  const wrong = (at: number, byte: number) => {
    const bytes = exif(0x0112, 3, 6);
    bytes[at] = byte;
    return bytes;
  };
  assert.equal(exifOrientation(wrong(1, 0x49)), 1, "a byte order that is none");
  assert.equal(exifOrientation(wrong(3, 43)), 1, "another magic number");
  assert.equal(exifOrientation(wrong(4, 0xff)), 1, "a directory outside");
  assert.equal(exifOrientation(exif(0x0112, 3, 6).subarray(0, 20)), 1, "an entry that is cut");
});

Deno.test("exifOrientation() answers any bytes with 1 to 8", () => {
  const start = fc.constantFrom([0x4d, 0x4d, 0, 42, 0, 0, 0, 8], [0x49, 0x49, 42, 0, 8, 0, 0, 0], []);
  fc.assert(fc.property(start, fc.uint8Array({ maxLength: 60 }), (start, rest) => {
    const orientation = exifOrientation(Uint8Array.from([...start, ...rest]));
    assert.ok(orientation >= 1 && orientation <= 8);
  }));
});
