import assert from "node:assert/strict";
import { heatColor } from "../../src/explanation/heat_color.ts";

/** Lightness of CIE 1976, 0 to 100. */
function lightness([red = 0, green = 0, blue = 0]: readonly number[]): number {
  const linear = [red, green, blue].map((value) => {
    const fraction = value / 255;
    return fraction <= 0.04045 ? fraction / 12.92 : ((fraction + 0.055) / 1.055) ** 2.4;
  });
  const [r = 0, g = 0, b = 0] = linear;
  const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return luminance > 0.008856 ? 116 * Math.cbrt(luminance) - 16 : 903.3 * luminance;
}

Deno.test("heatColor() has nearly uniform lightness steps", () => {
  const steps = Array.from({ length: 11 }, (_, step) => lightness(heatColor(step / 10)));
  const rises = steps.slice(1).map((value, index) => value - (steps[index] ?? NaN));
  assert((steps[0] ?? NaN) < 10 && (steps.at(-1) ?? NaN) > 90, steps.join(" "));
  for (const rise of rises) assert(rise > 5 && rise < 12, rises.join(" "));
});

Deno.test("heatColor() goes from violet to yellow, and clamps", () => {
  const [cold, warm] = [heatColor(0), heatColor(1)];
  assert(cold[2] > cold[0] && cold[0] > cold[1]);
  assert(warm[0] > warm[2] + 40 && warm[1] > warm[2] + 40);
  assert.deepEqual([heatColor(-1), heatColor(2)], [cold, warm]);
});
