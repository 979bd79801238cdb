/**
 * The way of images into the cache, and out of it.
 *
 * @module
 */

import { join } from "node:path";
import { z } from "zod";
import { Engine } from "../../src/ffi/engine.ts";
import { readDataset } from "../../src/data/dataset.ts";
import { openImageCache } from "../../src/pipeline/cache/open_image_cache.ts";
import { ImageDecoders } from "../../src/images/image_decoders.ts";
import type { ImageFile } from "../../src/images/image_file.ts";
import { makeRecipe, sideBeforeCrop } from "../../src/pipeline/recipe.ts";
import { modelSettings } from "../../src/pipeline/run_model.ts";
import { Contender } from "../contender.ts";
import type { BenchContext } from "../context.ts";
import { makeRow, median, type Row } from "../table.ts";
import { outputOf, PROJECT } from "../task_command.ts";

/** Pixels of a cached image, and of what the CNN sees of it. */
const [SQUARE, SIDE] = [256, 224];
const secondsSchema = z.object({ seconds: z.number() });

/** Images decoded and cached a second, and the time that an epoch takes to read them. */
export async function* imageRows(context: BenchContext): AsyncGenerator<Row> {
  const { data, work, rounds } = context;
  yield* photoRows(context);
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
      engine,
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

/** Photos as they come from the web and from a phone. */
const PHOTOS = [
  { name: "500 x 375", size: [500, 375], count: 400, least: 0.8 },
  { name: "4032 x 3024", size: [4032, 3024], count: 24, least: 2 },
] as const;

/** Photos decoded, scaled and stored a second, beside PyTorch's DataLoader with PIL and as many processes. */
async function* photoRows({ python, work, rounds }: BenchContext): AsyncGenerator<Row> {
  if (python === undefined) return;
  const recipe = makeRecipe("lrcn", { encoderWidth: 8, encoderBlocks: [1, 1, 1, 1] });
  using engine = await Engine.open(modelSettings(recipe, 10), { device: "cpu" });
  const workers = navigator.hardwareConcurrency;
  for (const { name, size, count, least } of PHOTOS) {
    const folder = join(work, name);
    await Deno.mkdir(folder, { recursive: true });
    await outputOf(python, [join("bench", "images.py"), folder, String(count), ...size.map(String)]);
    const files = [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name)).sort();
    const examples = files.map((path) => ({ name: path, path, captions: ["a photo"] }));
    const cache = join(work, `${name} cached`);
    const ours = async () => {
      await Deno.remove(cache, { recursive: true }).catch(() => {});
      const start = performance.now();
      using _cache = await openImageCache(examples, {
        ...{ folder: cache, side: SQUARE },
        engine,
        newDecoders: () => new ImageDecoders({ count: workers }),
      });
      return 1000 * count / (performance.now() - start);
    };
    const theirs = async (draft: boolean) => {
      const settings = { files, workers, short: SQUARE, draft, out: join(work, "pixels.bin") };
      const script = join(PROJECT, "bench", "pytorch", "loader.py");
      return await Contender.start({ command: python, args: [script, JSON.stringify(settings)] });
    };
    await using whole = await theirs(false);
    await using drafted = await theirs(true);
    const speedOf = async (contender: Contender) => count / secondsSchema.parse(await contender.measure()).seconds;
    const besideWhole: [number, number][] = [];
    const besideDraft: [number, number][] = [];
    for (let round = 0; round < rounds; round++) {
      const speed = await ours();
      besideWhole.push([speed, await speedOf(whole)]);
      besideDraft.push([speed, await speedOf(drafted)]);
    }
    const row = `${count} JPEGs of ${name} into the cache, ${workers} Workers; DataLoader with PIL`;
    yield makeRow([`${row}, decoding whole`, "images/s"], besideWhole, { least });
    yield makeRow([`${row}, draft`, "images/s"], besideDraft);
  }
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
