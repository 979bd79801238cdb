import assert from "node:assert/strict";
import { drawHeat } from "../../src/explanation/draw_heat.ts";
import { heatColor } from "../../src/explanation/heat_color.ts";
import { drawnImage } from "../golden/drawn_image.ts";

function brightness(pixels: Uint8Array, pixel: number): number {
  return pixels.subarray(3 * pixel, 3 * pixel + 3).reduce((sum, value) => sum + value, 0);
}

Deno.test("drawHeat() enlarges the model's input by an integer factor to a visible size", () => {
  const map = { rows: 1, columns: 1 };
  for (const [side, expected] of [[16, 384], [64, 384], [224, 448], [256, 512], [512, 512]] as const) {
    const { width, height, pixels } = drawHeat(Float32Array.of(0.5), { ...map, seen: drawnImage(side, side) });
    assert.deepEqual([width, height, pixels.length], [expected, expected, expected * expected * 3]);
  }
});

Deno.test("drawHeat() is brightest at the map's maximum, and all color is the map's", () => {
  const seen = { width: 400, height: 400, pixels: new Uint8Array(400 * 400 * 3) };
  const { pixels } = drawHeat(Float32Array.of(0, 0.2, 0.4, 1), { rows: 2, columns: 2, seen });
  const corners = [0, 399, 399 * 400, 400 * 400 - 1];
  const bright = corners.map((corner) => brightness(pixels, corner));
  assert.deepEqual(bright, bright.toSorted((a, b) => a - b));
  const warm = heatColor(1).map((part) => Math.round(0.6 * part));
  assert.deepEqual([...pixels.subarray(-3)], warm);
});

Deno.test("drawHeat() shows the image below the map in gray", () => {
  const seen = { width: 400, height: 400, pixels: new Uint8Array(400 * 400 * 3) };
  seen.pixels.fill(255, 0, 200 * 400 * 3);
  const cold = { rows: 7, columns: 7, seen };
  const { pixels } = drawHeat(new Float32Array(49), cold);
  assert.equal(brightness(pixels, 0) - brightness(pixels, 399 * 400), 3 * Math.round(0.4 * 255));
});
