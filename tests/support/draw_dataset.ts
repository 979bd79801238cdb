/**
 * A small dataset drawn for a test: pictures of colored squares, described in sentences.
 *
 * @module
 */

import { encode } from "fast-png";
import { join } from "node:path";
import { makeFolder, type TemporaryFolder } from "./temporary_folder.ts";

const WIDTH = 40;
const HEIGHT = 36;
const PER_COLOR = 8;
const PAPER = 240;
const COLORS = { red: [220, 30, 30], green: [30, 200, 30], blue: [30, 30, 220] };

/** Images of the dataset. */
export const DRAWN_COUNT = 3 * PER_COLOR;

/** The name of its first picture. */
export const FIRST_PICTURE = "red-0.png";

/** Keeps what a training caches in the temporary folder. */
export const CACHE: readonly string[] = ["--cache", "cache"];

/** What makes a training take a second: a model of few numbers, small pictures, one thread. */
export const TINY: readonly string[] = [
  ...["--set", "minCount=1", "--set", "encoderWidth=8", "--set", "encoderBlocks=1,1,1,1"],
  ...["--set", "hiddenSize=16", "--set", "embedSize=12", "--set", "maxLength=8"],
  ...CACHE,
  ...["--image-size", "16", "--epochs", "1", "--threads", "1", "--device", "cpu", "--precision", "fp32"],
];

/**
 * A PNG of a square of side 16 on paper.
 *
 * @param color Its color.
 * @param place Further right and down with each place.
 */
export function drawSquare(color: keyof typeof COLORS, place: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(WIDTH * HEIGHT * 3).fill(PAPER);
  for (let y = 2 + place; y < 18 + place; y++) {
    for (let x = 4 + place; x < 20 + place; x++) data.set(COLORS[color], (y * WIDTH + x) * 3);
  }
  return new Uint8Array(encode({ width: WIDTH, height: HEIGHT, data, channels: 3, depth: 8 }));
}

/**
 * Makes a folder `drawn` with `captions.txt` and `Images` in a temporary folder.
 *
 * @param files Other files of the temporary folder; these come last, so they may replace drawn ones.
 * @returns The temporary folder.
 */
export function drawDataset(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<TemporaryFolder> {
  const drawn: Record<string, string | Uint8Array> = {};
  const rows = ["image,caption"];
  for (const name of ["red", "green", "blue"] as const) {
    for (let place = 0; place < PER_COLOR; place++) {
      drawn[`drawn/Images/${name}-${place}.png`] = drawSquare(name, place);
      rows.push(`${name}-${place}.png,A ${name} square lies on the paper .`, `${name}-${place}.png,This is ${name}`);
    }
  }
  return makeFolder({ ...drawn, "drawn/captions.txt": rows.join("\n"), ...files });
}

/**
 * Puts one picture under many names, by links, in the place of a drawn dataset.
 *
 * @param folder The temporary folder.
 * @param count How many names there shall be.
 * @param caption What describes each.
 */
export async function repeatPicture(folder: string, count: number, caption = "This is red"): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `copy-${index}.png`);
  const images = join(folder, "drawn", "Images");
  await Promise.all(names.map((name) => Deno.link(join(images, FIRST_PICTURE), join(images, name))));
  const rows = names.map((name) => `${name},${caption}`);
  await Deno.writeTextFile(join(folder, "drawn", "captions.txt"), ["image,caption", ...rows].join("\n"));
}
