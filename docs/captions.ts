/**
 * Makes README's figure: scenes of a sample run with the generated captions.
 *
 *     deno run --allow-read docs/captions.ts runs/<date-time>-sample > docs/captions.svg
 *
 * @module
 */

import { join } from "node:path";
import { z } from "zod";

const COLUMNS = 4;
const ROWS = 2;
const SIDE = 128;
const CELL = { width: 216, height: 184 };
const LINE = 16;

const schema = z.object({
  heldOut: z.array(z.object({ image: z.string(), references: z.array(z.string()), caption: z.string() })),
});

/** Breaks a long caption into two lines of similar length. */
function twoLines(caption: string): string[] {
  const words = caption.split(" ");
  const lengths = words.map((_, index) => words.slice(0, index).join(" ").length);
  const middle = lengths.findIndex((length) => length >= caption.length / 2);
  return caption.length < 28 ? [caption] : [words.slice(0, middle).join(" "), words.slice(middle).join(" ")];
}

const run = Deno.args[0] ?? ".";
const { heldOut } = schema.parse(JSON.parse(await Deno.readTextFile(join(run, "result.json"))));
const cells = await Promise.all(
  heldOut.slice(0, COLUMNS * ROWS).map(async ({ image, references, caption }, index) => {
    const x = (index % COLUMNS + 0.5) * CELL.width;
    const y = Math.floor(index / COLUMNS) * CELL.height + 8;
    const png = (await Deno.readFile(join(run, image))).toBase64();
    const color = references.includes(caption) ? "#1a7f37" : "#cf222e";
    const text = twoLines(caption).map((line, row) =>
      `<text x="${x}" y="${y + SIDE + LINE * (row + 1)}" fill="${color}">${line}</text>`
    ).join("");
    const href = `data:image/png;base64,${png}`;
    return `<image x="${x - SIDE / 2}" y="${y}" width="${SIDE}" height="${SIDE}" href="${href}"/>${text}`;
  }),
);
const [width, height] = [COLUMNS * CELL.width, ROWS * CELL.height];
console.log(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `font-family="sans-serif" font-size="12" text-anchor="middle"><rect width="${width}" height="${height}" fill="#ffffff"/>` +
    `${cells.join("\n")}</svg>`,
);
