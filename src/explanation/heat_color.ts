/**
 * The colormap of heat maps, from dark violet over red and orange to pale yellow. Lightness is perceptually uniform, so
 * that a map can be read in gray.
 *
 * @param heat 0 to 1; clamped.
 * @returns Red, green and blue, 0 to 255.
 */
export function heatColor(heat: number): readonly [number, number, number] {
  const degree = Math.min(1, Math.max(0, heat));
  const lightness = 0.2 + 0.74 * degree;
  const chroma = 0.14 * Math.sin(Math.PI * (0.2 + 0.65 * degree));
  const hue = (285 + 175 * degree) * Math.PI / 180;
  return oklabToRgb(lightness, chroma * Math.cos(hue), chroma * Math.sin(hue));
}

/** Ottosson's Oklab (https://bottosson.github.io/posts/oklab/) to sRGB. */
function oklabToRgb(lightness: number, a: number, b: number): [number, number, number] {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    encoded(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short),
    encoded(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short),
    encoded(-0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short),
  ];
}

/** sRGB's transfer function. */
function encoded(light: number): number {
  const value = light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, Math.max(0, value)));
}
