import assert from "node:assert/strict";
import { decodeImage } from "../../src/images/decode_image.ts";
import { encodePng } from "../../src/images/encode_png.ts";
import { Random } from "../../src/random.ts";
import { canRead } from "../support/test_data.ts";

Deno.test("encodePng() keeps every pixel", { ignore: !canRead }, async () => {
  const random = new Random(1);
  const image = { width: 7, height: 5, pixels: Uint8Array.from({ length: 105 }, () => random.below(256)) };
  assert.deepEqual(await decodeImage(encodePng(image)), image);
});
