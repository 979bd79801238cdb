import assert from "node:assert/strict";
import { join } from "node:path";
import { captionFiles, type FileCaptioner } from "../../src/captioning/caption_files.ts";
import { decodeImage } from "../../src/images/decode_image.ts";
import type { RgbImage } from "../../src/images/rgb_image.ts";
import { openImageCache } from "../../src/pipeline/cache/open_image_cache.ts";
import { ImageDecoders } from "../../src/images/image_decoders.ts";
import kinds from "../golden/image_kinds.json" with { type: "json" };
import golden from "../golden/images.json" with { type: "json" };
import { canRead, canWrite } from "../support/test_data.ts";
import { makeFolder } from "../support/temporary_folder.ts";

async function digest({ width, height, pixels }: RgbImage): Promise<string> {
  return `${width} x ${height} ${new Uint8Array(await crypto.subtle.digest("SHA-256", pixels)).toHex()}`;
}

for (const applyExif of [true, false]) {
  Deno.test({
    name: `training, evaluation, caption and the library see the same pixels, applyExif ${applyExif}`,
    ignore: !canRead || !canWrite,
    async fn() {
      const files = Object.fromEntries(
        Object.entries({ ...golden.images, ...kinds.images })
          .map(([name, { file }]): [string, Uint8Array<ArrayBuffer>] => [name, Uint8Array.fromBase64(file)]),
      );
      await using folder = await makeFolder(files);
      const names = Object.keys(files);
      const path = (name: string) => join(folder.path, name);
      const decoded = await Promise.all(Object.values(files).map((file) => decodeImage(file, { applyExif })));
      const expected = await Promise.all(decoded.map(digest));

      const captioned: string[] = [];
      const captioner: FileCaptioner = {
        decodeOptions: { applyExif },
        prepare: async (image) => ({ width: 1, height: 1, pixels: new TextEncoder().encode(await digest(image)) }),
        caption(images) {
          captioned.push(...images.map(({ pixels }) => new TextDecoder().decode(pixels)));
          return Promise.resolve(images.map(() => ({ text: "", logProbability: 0, tokens: [] })));
        },
      };
      const inputs = ReadableStream.from(names.map((name) => ({ name, path: path(name) })));
      for await (const result of captionFiles(captioner, inputs)) assert(!("problem" in result), result.image);
      assert.deepEqual(captioned, expected, "caption");

      const cached = new Set<string>();
      using _ = await openImageCache(names.map((name) => ({ name, path: path(name), captions: ["an image"] })), {
        folder: join(folder.path, "cache"),
        // No image of the folder has this size: one that has is not resized.
        side: 2,
        decoding: { applyExif, shrinkOnLoad: false },
        newDecoders: () => new ImageDecoders({ count: 2 }),
        engine: {
          async resizeCrop(image) {
            cached.add(await digest(image));
            return new Uint8Array(2 * 2 * 3);
          },
        },
      });
      assert.deepEqual(cached, new Set(expected), "the cache, of training and validation");
    },
  });
}
