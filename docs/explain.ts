/**
 * Makes the figure of docs/explain.md: an image, and the heat maps of the words with some strength.
 *
 *     deno task explain --json IMAGE > words.json
 *     deno run --allow-read docs/explain.ts IMAGE words.json > docs/explain.svg
 *
 * @module
 */

import { encodePng } from "../src/images/encode_png.ts";
import { z } from "zod";
import { drawHeat } from "../src/explanation/draw_heat.ts";
import { decodeImage } from "../src/images/decode_image.ts";

const MIN_STRENGTH = 0.05;
const SIDE = 128;
const CELL = { width: 148, height: 176 };
/** Heat maps are larger than a page needs: every fourth pixel is enough. */
const STRIDE = 4;

const schema = z.object({
  rows: z.number(),
  columns: z.number(),
  words: z.array(
    z.object({ word: z.string(), probability: z.number(), strength: z.number(), heat: z.array(z.number()) }),
  ),
});

const [image = "", explanation = ""] = Deno.args;
const file = await Deno.readFile(image);
const seen = await decodeImage(file);
const { words, ...size } = schema.parse(JSON.parse(await Deno.readTextFile(explanation)));

function heatMapPng(heat: readonly number[]): Uint8Array {
  const { width, height, pixels } = drawHeat(Float32Array.from(heat), { ...size, seen });
  const small = { width: width / STRIDE, height: height / STRIDE };
  const data = Uint8Array.from({ length: small.width * small.height * 3 }, (_, index) => {
    const [pixel, channel] = [Math.floor(index / 3), index % 3];
    const [x, y] = [pixel % small.width * STRIDE, Math.floor(pixel / small.width) * STRIDE];
    return pixels[(y * width + x) * 3 + channel] ?? 0;
  });
  return encodePng({ ...small, pixels: data });
}

const shown = words.filter(({ strength }) => strength >= MIN_STRENGTH);
const cells = [
  { png: file, lines: ["what the model sees", ""] },
  ...shown.map(({ word, probability, strength, heat }) => ({
    png: heatMapPng(heat),
    lines: [word, `${Math.round(100 * probability)}% probable, strength ${strength.toFixed(2)}`],
  })),
].map(({ png, lines }, index) => {
  const x = (index + 0.5) * CELL.width;
  const href = `data:image/png;base64,${png.toBase64()}`;
  const text = lines.map((line, row) => `<text x="${x}" y="${8 + SIDE + 16 * (row + 1)}">${line}</text>`).join("");
  return `<image x="${x - SIDE / 2}" y="8" width="${SIDE}" height="${SIDE}" href="${href}"/>${text}`;
});
const width = cells.length * CELL.width;
console.log(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${CELL.height}" width="${width}" ` +
    `height="${CELL.height}" font-family="sans-serif" font-size="10" text-anchor="middle">` +
    `<rect width="${width}" height="${CELL.height}" fill="#ffffff"/>${cells.join("\n")}</svg>`,
);
