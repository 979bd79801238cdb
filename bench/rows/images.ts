/**
 * The way of images into the cache, and out of it.
 *
 * @module
 */

import { join } from "node:path";
import { Engine } from "../../src/ffi/engine.ts";
import { readDataset } from "../../src/data/dataset.ts";
import { openImageCache } from "../../src/pipeline/cache/open_image_cache.ts";
import { ImageDecoders } from "../../src/images/image_decoders.ts";
import type { ImageFile } from "../../src/images/image_file.ts";
import { makeRecipe, sideBeforeCrop } from "../../src/pipeline/recipe.ts";
import { modelSettings } from "../../src/pipeline/run_model.ts";
import type { BenchContext } from "../context.ts";
import { makeRow, median, type Row } from "../table.ts";
import { PROJECT } from "../task_command.ts";

/** Pixels of a cached image, and of what the CNN sees of it. */
const [SQUARE, SIDE] = [256, 224];

/** Images decoded and cached a second, and the time that an epoch takes to read them. */
export async function* imageRows({ data, work, rounds }: BenchContext): AsyncGenerator<Row> {
  const { examples } = await readDataset({ data });
  const decoding: [number, number][] = [];
  for (let round = 0; round < rounds; round++) {
    decoding.push([await decodingSpeed(examples, 2), await decodingSpeed(examples, 1)]);
  }
  yield makeRow(["images decoded, 2 Workers against 1", "images/s"], decoding, { least: 1.8 });

  const recipe = makeRecipe("lrcn", { encoderWidth: 8, encoderBlocks: [1, 1, 1, 1] });
  using engine = await Engine.open(modelSettings(recipe, 10), { device: "cpu" });
  const filled = join(work, "filled");
  const open = () =>
    openImageCache(examples, {
      ...{ folder: filled, side: sideBeforeCrop(recipe) },
      resizeCrop: (image, side, crop) => engine.resizeCrop(image, side, crop),
      newDecoders: () => new ImageDecoders(),
    });
  const speeds: [number][] = [];
  for (let round = 0; round < rounds; round++) {
    await Deno.remove(filled, { recursive: true }).catch(() => {});
    const start = performance.now();
    using _cache = await open();
    speeds.push([1000 * examples.length / (performance.now() - start)]);
  }
  yield makeRow(["images decoded, scaled and written into the cache", "images/s"], speeds);

  using cache = await open();
  const pixels = new Uint8Array(SIDE * SIDE * 3);
  const read = async () => {
    const start = performance.now();
    for (let index = 0; index < cache.examples.length; index++) await cache.read(index, SIDE, pixels);
    return (performance.now() - start) / 1000;
  };
  const times: [number, number][] = [];
  for (let round = 0; round < rounds; round++) {
    await forgetPages(filled);
    times.push([await read(), await read()]);
  }
  const bytes = examples.length * SQUARE * SQUARE * 3;
  const name = `${examples.length} images read from the cache`;
  yield makeRow([`${name}, not in the system's memory`, "s"], times.map(([cold]) => [cold]));
  yield makeRow(
    [`${name}, in it (${(bytes / median(times.map(([, warm]) => warm)) / 1e9).toFixed(1)} GB/s)`, "s"],
    times.map(([, warm]) => [warm]),
  );
}

/** Images a second of so many Workers. */
async function decodingSpeed(files: readonly ImageFile[], count: number): Promise<number> {
  using decoders = new ImageDecoders({ count });
  const decode = (some: readonly ImageFile[]) =>
    Promise.all(
      some.map((file) => decoders.decodeThen(file, () => Promise.resolve(), { maxPixels: 50e6, applyExif: true })),
    );
  await decode(files.slice(0, 4 * count));
  const start = performance.now();
  await decode(files);
  return 1000 * files.length / (performance.now() - start);
}

/** Has the system drop its copies of a folder's files. */
async function forgetPages(folder: string): Promise<void> {
  const script = 'find "$1" -type f -exec dd of={} oflag=nocache conv=notrunc,fdatasync count=0 status=none \\;';
  await new Deno.Command("sh", { args: ["-c", script, "sh", folder], cwd: PROJECT }).output();
}
