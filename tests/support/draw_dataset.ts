// A small rendered dataset: images of colored squares, described in sentences.

import { encodePng } from "../../src/images/encode_png.ts";
import { join } from "node:path";
import { makeFolder, type TemporaryFolder } from "./temporary_folder.ts";

const WIDTH = 40;
const HEIGHT = 36;
const PER_COLOR = 8;
const PAPER = 240;
const COLORS = { red: [220, 30, 30], green: [30, 200, 30], blue: [30, 30, 220] };

/** Images of the dataset. */
export const DRAWN_COUNT = 3 * PER_COLOR;

/** The name of its first image. */
export const FIRST_PICTURE = "red-0.png";

/** Keeps the caches of a training run in the temporary folder. */
export const CACHE: readonly string[] = ["--cache", "cache"];

/** Settings that make training take a second: a model of few numbers, small images, one thread. */
export const TINY: readonly string[] = [
  ...["--set", "minCount=1", "--set", "encoderWidth=8", "--set", "encoderBlocks=1,1,1,1"],
  ...["--set", "hiddenSize=16", "--set", "embedSize=12", "--set", "maxLength=8"],
  ...CACHE,
  ...["--image-size", "16", "--epochs", "1", "--threads", "1", "--device", "cpu", "--precision", "fp32"],
];

/** A PNG of a square of side 16 on paper. */
export function drawSquare(color: keyof typeof COLORS, place: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(WIDTH * HEIGHT * 3).fill(PAPER);
  for (let y = 2 + place; y < 18 + place; y++) {
    for (let x = 4 + place; x < 20 + place; x++) data.set(COLORS[color], (y * WIDTH + x) * 3);
  }
  return encodePng({ width: WIDTH, height: HEIGHT, pixels: data });
}

/** Makes a folder `drawn` with `captions.txt` and `Images` in a temporary folder. */
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

/** Replaces a rendered dataset by links from many names to one image. */
export async function repeatPicture(folder: string, count: number, caption = "This is red"): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `copy-${index}.png`);
  const images = join(folder, "drawn", "Images");
  await Promise.all(names.map((name) => Deno.link(join(images, FIRST_PICTURE), join(images, name))));
  const rows = names.map((name) => `${name},${caption}`);
  await Deno.writeTextFile(join(folder, "drawn", "captions.txt"), ["image,caption", ...rows].join("\n"));
}
