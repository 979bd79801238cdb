// Heat maps over the image.

const frame = document.getElementById("image");
const [image, canvas] = frame.children;
const OPACITY = 0.8;

/** Shows a word's heat map over what the model sees: the center crop, or all of the image. */
export function showHeat({ heat }, { rows, columns, seen, resize }) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(columns, rows);
  for (const [cell, value] of heat.entries()) {
    // From red to yellow.
    pixels.data.set([255, 80 + 150 * value * value, 30, 255 * OPACITY * value], 4 * cell);
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
}

/** Hides the heat map. */
export function hideHeat() {
  frame.classList.remove("warm");
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
