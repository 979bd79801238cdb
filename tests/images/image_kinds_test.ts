import assert from "node:assert/strict";
import { unzlibSync } from "fflate";
import { decodeImage } from "../../src/images/decode_image.ts";
import golden from "../golden/image_kinds.json" with { type: "json" };
import { differences } from "./image_differences.ts";

for (const [name, { file, width, height, deflatedPixels }] of Object.entries(golden.images)) {
  Deno.test(`decodeImage() decodes ${name} as Pillow does`, async () => {
    const image = await decodeImage(Uint8Array.fromBase64(file));
    assert.deepEqual([image.width, image.height], [width, height]);
    const { mean, largest } = differences(image.pixels, unzlibSync(Uint8Array.fromBase64(deflatedPixels)));
    if (name.endsWith(".jpg")) assert.ok(mean <= 0.6, `mean difference ${mean}`);
    else assert.ok(largest <= (/alpha|clear/.test(name) ? 1 : 0), `largest difference ${largest}`);
  });
}

Deno.test("decodeImage() leaves the image as stored if its orientation is ignored", async () => {
  for (const kind of ["jpg", "png"] as const) {
    const upright = await decodeImage(Uint8Array.fromBase64(golden.images[`turned-1.${kind}`].file));
    for (const turn of [3, 6, 8] as const) {
      const file = Uint8Array.fromBase64(golden.images[`turned-${turn}.${kind}`].file);
      assert.deepEqual(await decodeImage(file, { applyExif: false }), upright);
      assert.notDeepEqual(await decodeImage(file), upright);
    }
  }
});
