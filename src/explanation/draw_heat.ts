/**
 * Heat maps over what a model sees.
 *
 * @module
 */

import type { Explanation } from "./explain_words.ts";
import type { RgbImage } from "../images/rgb_image.ts";
import { enlarge } from "./enlarge.ts";
import { heatColor } from "./heat_color.ts";

/** The least side of a picture in pixels: what small models see is enlarged until it can be looked at. */
const LEAST_SIDE = 384;
/** Share of the heat's color in the picture; the rest is what the model sees, in gray. */
const COLOR_SHARE = 0.6;
const DEGREES = 256;

/**
 * Draws a word's heat map over what the model sees, which turns gray, so that all color is the map's.
 *
 * @param heat The word's map, 0 to 1: rows x columns.
 * @param explanation What the map is part of.
 * @returns The picture; its sides are the least multiple of what the model sees that is 384 pixels or more.
 */
export function drawHeat(
  heat: Float32Array,
  { rows, columns, seen }: Pick<Explanation, "rows" | "columns" | "seen">,
): RgbImage {
  const times = Math.ceil(LEAST_SIDE / Math.min(seen.width, seen.height));
  const [width, height] = [seen.width * times, seen.height * times];
  const map = enlarge(heat, { rows, columns, height, width });
  const gray = enlarge(grayOf(seen), { rows: seen.height, columns: seen.width, height, width });
  const colors = Array.from({ length: DEGREES }, (_, degree) => heatColor(degree / (DEGREES - 1)));
  const pixels = new Uint8Array(width * height * 3);
  for (const [pixel, value] of map.entries()) {
    const color = colors[Math.round(value * (DEGREES - 1))] ?? [0, 0, 0];
    const light = (gray[pixel] ?? 0) * (1 - COLOR_SHARE);
    pixels.set(color.map((part) => Math.round(part * COLOR_SHARE + light)), pixel * 3);
  }
  return { width, height, pixels };
}

/** The brightness of each pixel (ITU-R BT.601). */
function grayOf({ pixels }: RgbImage): Float32Array {
  return Float32Array.from({ length: pixels.length / 3 }, (_, pixel) => {
    const [red = 0, green = 0, blue = 0] = pixels.subarray(pixel * 3, pixel * 3 + 3);
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  });
}
