import type { Explanation } from "./explain_words.ts";
import type { RgbImage } from "../images/rgb_image.ts";
import { enlarge } from "./enlarge.ts";
import { heatColor } from "./heat_color.ts";

/** Smallest side of a rendered heat map in pixels; the crops of small models are enlarged. */
const LEAST_SIDE = 384;
/** Opacity of the heat map over the gray image. */
const OPACITY = 0.6;
const DEGREES = 256;

/**
 * Renders a word's heat map over the model's input image in gray.
 *
 * @param heat The word's map, 0 to 1: rows x columns.
 * @returns An image whose sides are the smallest multiple of the input's that is at least 384 pixels.
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
    const light = (gray[pixel] ?? 0) * (1 - OPACITY);
    pixels.set(color.map((part) => Math.round(part * OPACITY + light)), pixel * 3);
  }
  return { width, height, pixels };
}

/** The luma of each pixel (ITU-R BT.601). */
function grayOf({ pixels }: RgbImage): Float32Array {
  return Float32Array.from({ length: pixels.length / 3 }, (_, pixel) => {
    const [red = 0, green = 0, blue = 0] = pixels.subarray(pixel * 3, pixel * 3 + 3);
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  });
}
