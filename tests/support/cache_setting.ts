// A cache of small images with decoders that only count, for tests.

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Example } from "../../src/data/dataset.ts";
import type { RgbImage } from "../../src/images/rgb_image.ts";
import { openImageCache } from "../../src/pipeline/cache/open_image_cache.ts";
import type { ImageCache, ImageCacheOptions } from "../../src/pipeline/cache/image_cache.ts";
import { ImageError } from "../../src/images/image_error.ts";
import type { ImageFile } from "../../src/images/image_file.ts";
import { drawnImage } from "../golden/drawn_image.ts";
import { canRead, canWrite } from "./test_data.ts";
import { makeFolder } from "./temporary_folder.ts";

/** For `Deno.test`: these tests write and read files. */
export const files: { ignore: boolean } = { ignore: !canRead || !canWrite };

/** Side of the resized images. */
export const SIDE = 9;

/** What a test has. */
export interface Setting extends AsyncDisposable {
  /** Images whose files contain a number: the width of the decoded image, or "broken". */
  readonly examples: Example[];
  /** Where caches are. */
  readonly folder: string;
  /** The options of `openImageCache()`. */
  readonly options: ImageCacheOptions;
  /** What was asked of the decoders and of the resizer, and how many pools of decoders were started and are open. */
  readonly counts: { decoded: number; resized: number; pools: number; open: number };
  /** Opens the cache, reads all resized images and closes it. */
  opened(examples?: readonly Example[], more?: Partial<ImageCacheOptions>): Promise<Opened>;
}

/** What a cache held. */
export interface Opened extends Pick<ImageCache, "fingerprint" | "broken"> {
  /** Names of the images. */
  readonly names: readonly string[];
  /** The resized images. */
  readonly resized: readonly Uint8Array[];
  /** Images decoded to fill the cache, and to read it. */
  readonly decoded: { readonly filling: number; readonly reading: number };
  /** Lines for the user. */
  readonly notes: readonly string[];
}

/** Makes files `0.jpg`, `1.jpg` and so on with such contents. */
export async function makeSetting(contents: readonly string[]): Promise<Setting> {
  const names = contents.map((_, index) => `${index}.jpg`);
  const temporary = await makeFolder(Object.fromEntries(names.map((name, index) => [name, contents[index] ?? ""])));
  const counts = { decoded: 0, resized: 0, pools: 0, open: 0 };
  const folder = join(temporary.path, "deep", "cache");
  const examples = names.map((name) => ({ name, path: join(temporary.path, name), captions: ["an image"] }));
  const options: ImageCacheOptions = {
    folder,
    side: SIDE,
    // The files are of some time ago, as files mostly are.
    disk: { now: () => Date.now() + 10_000, reserve: 0 },
    newDecoders() {
      counts.pools++;
      counts.open++;
      return {
        count: 2,
        async decodeThen(file, use, { maxPixels }) {
          counts.decoded++;
          const text = await readPart(file);
          const width = Number(text);
          if (text === "slow") throw Object.assign(new ImageError("it takes too long", file.path), { kind: "decoder" });
          if (Number.isNaN(width)) throw new ImageError("the file is text", file.path);
          if (width * 20 > maxPixels) throw new ImageError("it is too large", file.path);
          return await use(drawnImage(width, 20));
        },
        [Symbol.dispose]: () => void counts.open--,
      };
    },
    engine: {
      resizeCrop(image, _shortSide, crop) {
        counts.resized++;
        return Promise.resolve(nearest(image, crop));
      },
    },
  };
  return {
    examples,
    folder,
    counts,
    options,
    async opened(list = examples, more = {}) {
      const notes: string[] = [];
      const before = counts.decoded;
      using cache = await openImageCache(list, { ...options, onNote: (line) => notes.push(line), ...more });
      const filling = counts.decoded - before;
      const resized = await readResized(cache);
      const reading = counts.decoded - before - filling;
      const { fingerprint, broken } = cache;
      return {
        fingerprint,
        broken,
        resized,
        notes,
        decoded: { filling, reading },
        names: cache.examples.map(({ name }) => name),
      };
    },
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

async function readPart({ path, offset = 0, size }: ImageFile): Promise<string> {
  const text = await Deno.readTextFile(path);
  return text.slice(offset, size === undefined ? undefined : offset + size);
}

/** Reads all resized images at once: concurrent reads must not mix. */
export async function readResized(cache: ImageCache): Promise<Uint8Array[]> {
  return await Promise.all(cache.examples.map(async (_, index) => {
    const pixels = new Uint8Array(cache.side * cache.side * 3);
    await cache.read(index, cache.side, pixels);
    return pixels;
  }));
}

/** The resized version of an image of that width. */
export function resizeToSquare(width: number): Uint8Array {
  return nearest(drawnImage(width, 20), SIDE);
}

/** Resizes an image to a square, without smoothing. */
export function nearest({ width, height, pixels }: RgbImage, side: number): Uint8Array<ArrayBuffer> {
  const cropped = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = (Math.floor(y * height / side) * width + Math.floor(x * width / side)) * 3;
      cropped.set(pixels.subarray(from, from + 3), (y * side + x) * 3);
    }
  }
  return cropped;
}

/** The database of a setting's cache. */
export function cacheDatabase(setting: Setting): DatabaseSync {
  return new DatabaseSync(cacheFile(setting, "images.sqlite"));
}

/** Where a cache's files are. */
export function cacheFile({ folder }: Setting, name: string): string {
  return join(folder, `${SIDE}-v5`, name);
}
