/**
 * A dataset to measure on: images with five captions each, in Kaggle's form.
 *
 * @module
 */

import { encodePng } from "../src/images/encode_png.ts";
import { join } from "node:path";
import { Random } from "../src/random.ts";
import { renderScene } from "../src/sample/scenes.ts";
import { outputOf } from "./task_command.ts";

const CAPTIONS = 5;
/** Side of a scene in pixels. */
const SIDE = 96;

/**
 * Renders a dataset. Its captions have 14 tokens on average, out of 3,000 words that occur as often as words do (Zipf).
 *
 * @param python A Python that renders JPEG files as large as photos; undefined renders small scenes as PNG files.
 */
export async function drawDataset(folder: string, count: number, python: string | undefined): Promise<void> {
  const random = new Random(1);
  const images = join(folder, "Images");
  await Deno.mkdir(images, { recursive: true });
  if (python === undefined) await drawScenes(images, count, random);
  else await outputOf(python, [join("bench", "images.py"), images, String(count)]);
  const names = (await Array.fromAsync(Deno.readDir(images))).map(({ name }) => name).sort();
  const rows = names.flatMap((name) => Array.from({ length: CAPTIONS }, () => `${name},${caption(random)}\n`));
  await Deno.writeTextFile(join(folder, "captions.txt"), `image,caption\n${rows.join("")}`);
}

async function drawScenes(folder: string, count: number, random: Random): Promise<void> {
  for (let index = 0; index < count; index++) {
    const { width, height, pixels } = renderScene(SIDE, random).image;
    const name = `${String(index).padStart(4, "0")}.png`;
    await Deno.writeFile(join(folder, name), encodePng({ width, height, pixels }));
  }
}

function caption(random: Random): string {
  const thing = () => `a ${word(random, "kind", 800)} ${word(random, "thing", 1200)}`;
  const sentence = `${thing()} ${word(random, "does", 400)} ${word(random, "near", 40)} ${thing()}`;
  const more = random.next() < 0.5 ? ` and ${thing()}` : "";
  return `${sentence}${more} on the ${word(random, "place", 600)} .`;
}

/** One of so many words, the k-th about k^-1.3 times as often as the first. */
function word(random: Random, kind: string, count: number): string {
  return `${kind}${Math.min(Math.floor((1 - random.next()) ** (-1 / 0.3)), 1e6) % count}`;
}
