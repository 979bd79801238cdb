// A process that opens the cache of a folder's images with the decoders of training, and prints its progress and, at
// last, its result as JSON. Its arguments: the folder of the images, the folder of the caches.

import { createHash } from "node:crypto";
import { join } from "node:path";
import { openImageCache } from "../../../../src/pipeline/cache/open_image_cache.ts";
import { ImageDecoders } from "../../../../src/images/image_decoders.ts";
import { nearest, readResized } from "../../../support/cache_setting.ts";

const [images = "", folder = ""] = Deno.args;
const names = [...Deno.readDirSync(images)].map(({ name }) => name).sort();
let resized = 0;
using cache = await openImageCache(
  names.map((name) => ({ name, path: join(images, name), captions: ["an image"] })),
  {
    folder,
    side: 32,
    newDecoders: () => new ImageDecoders({ count: 2 }),
    engine: {
      resizeCrop(image, _shortSide, crop) {
        resized++;
        return Promise.resolve(nearest(image, crop));
      },
    },
    onProgress: (done) => console.log(done),
    onWait: () => console.log("waiting"),
    disk: { now: () => Date.now() + 10_000, freeBytes: () => Promise.resolve(undefined) },
  },
);
const digest = createHash("sha256");
for (const pixels of await readResized(cache)) digest.update(pixels);
const { fingerprint, broken } = cache;
console.log(JSON.stringify({
  resized,
  fingerprint,
  broken: broken.length,
  pixels: digest.digest("hex"),
  examples: cache.examples.length,
}));
