import assert from "node:assert/strict";
import { join } from "node:path";
import { ImageDecoders } from "../../src/images/image_decoders.ts";
import golden from "../golden/decoded_photos.json" with { type: "json" };
import { testData } from "../support/test_data.ts";

/** The JPEGs below a folder, in the order of their paths. */
function photosIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return photosIn(join(folder, name));
    return /\.jpe?g$/i.test(name) ? [join(folder, name)] : [];
  }).toSorted();
}

for (const [folder, photos] of Object.entries(golden)) {
  Deno.test(
    `${photos.length} photos of ${folder} have Pillow's pixels, byte for byte`,
    { ignore: !testData },
    async () => {
      const paths = photosIn(join(testData ?? "", folder));
      using decoders = new ImageDecoders({ count: 2 });
      for (const { index, sha256 } of photos) {
        const path = paths[index] ?? "";
        const { pixels } = await decoders.decode({ path }, { colorManagement: false, alpha: "drop", applyExif: false });
        assert.equal(new Uint8Array(await crypto.subtle.digest("SHA-256", pixels)).toHex(), sha256, path);
      }
    },
  );
}
