// Heat maps over the image.

import { ask } from "./api.js";

const frame = document.getElementById("image");
const legend = document.getElementById("legend");
const [image, canvas] = frame.children;
const OPACITY = 0.6;
/** Points on a side of the interpolated map. */
const SIDE = 128;
/** The color scale, as of deno task explain: red, green, blue from cold to hot. */
const colors = await ask("/heat-colors.json");

drawLegend();

/** Whether an explanation says where words come from: a map of one cell does not. */
export function hasMaps({ rows, columns }) {
  return rows * columns > 1;
}

/**
 * Shows a word's heat map over what the model sees: the center crop, or all of the image. It is as strong as the word's
 * strength: the caption's hottest cell is at the end of the scale.
 */
export function showHeat({ heat, strength }, { rows, columns, seen, resize }) {
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(SIDE, SIDE);
  const [down, across] = [between(rows), between(columns)];
  for (const [y, [top, bottom, lower]] of down.entries()) {
    for (const [x, [left, right, further]] of across.entries()) {
      const at = (row, column) => heat[row * columns + column];
      const upper = mix(at(top, left), at(top, right), further);
      const value = strength * mix(upper, mix(at(bottom, left), at(bottom, right), further), lower);
      pixels.data.set(colorOf(value), 4 * (y * SIDE + x));
    }
  }
  context.putImageData(pixels, 0, 0);
  const { naturalWidth, naturalHeight } = image;
  const side = seen * Math.min(naturalWidth, naturalHeight);
  const [width, height] = resize === "stretch" ? [100, 100] : [100 * side / naturalWidth, 100 * side / naturalHeight];
  Object.assign(canvas.style, {
    width: `${width}%`,
    height: `${height}%`,
    left: `${(100 - width) / 2}%`,
    top: `${(100 - height) / 2}%`,
  });
  frame.classList.add("warm");
  legend.classList.add("warm");
}

/** Hides the heat map. */
export function hideHeat() {
  frame.classList.remove("warm");
  legend.classList.remove("warm");
}

/** Names the ninth of the image with a map's maximum; undefined if the map is all 0. */
export function warmestPart({ heat }, { rows, columns }) {
  const warmest = Math.max(...heat);
  if (!(warmest > 0)) return undefined;
  const cell = heat.indexOf(warmest);
  const third = (at, size) => Math.floor(3 * (at + 0.5) / size);
  const vertical = ["top", "", "bottom"][third(Math.floor(cell / columns), rows)];
  const horizontal = ["left", "", "right"][third(cell % columns, columns)];
  return [vertical, horizontal].filter((word) => word !== "").join(" ") || "center";
}

/** For each point of a side: the cells that it lies between, and the weight of the second. */
function between(cells) {
  return Array.from({ length: SIDE }, (_, point) => {
    const position = Math.min(cells - 1, Math.max(0, (point + 0.5) * cells / SIDE - 0.5));
    const first = Math.floor(position);
    return [first, Math.min(cells - 1, first + 1), position - first];
  });
}

function mix(one, other, weight) {
  return one + (other - one) * weight;
}

/** A value's color; the colder, the more of the image shows. */
function colorOf(value) {
  return [...colors[Math.round(value * (colors.length - 1))], 255 * OPACITY * value];
}

function drawLegend() {
  const scale = legend.querySelector("canvas");
  scale.width = colors.length;
  scale.height = 1;
  const context = scale.getContext("2d");
  const pixels = context.createImageData(colors.length, 1);
  for (const [index, color] of colors.entries()) pixels.data.set([...color, 255], 4 * index);
  context.putImageData(pixels, 0, 0);
}
