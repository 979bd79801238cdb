// Heat maps over the image.

const frame = document.getElementById("image");
const [picture, canvas] = frame.children;
const WARMTH = 0.8;

/** Lays a word's map over the square that the model sees. */
export function showHeat({ heat }, { rows, columns, seen }) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(columns, rows);
  for (const [place, value] of heat.entries()) {
    // From red to yellow where it is warmest.
    pixels.data.set([255, 80 + 150 * value * value, 30, 255 * WARMTH * value], 4 * place);
  }
  context.putImageData(pixels, 0, 0);
  const { naturalWidth, naturalHeight } = picture;
  const side = seen * Math.min(naturalWidth, naturalHeight);
  const [width, height] = [100 * side / naturalWidth, 100 * side / naturalHeight];
  Object.assign(canvas.style, {
    width: `${width}%`,
    height: `${height}%`,
    left: `${(100 - width) / 2}%`,
    top: `${(100 - height) / 2}%`,
  });
  frame.classList.add("warm");
}

/** Takes the map away. */
export function hideHeat() {
  frame.classList.remove("warm");
}

/** Says in words where a map is warmest; undefined where it is cold all over. */
export function warmestPart({ heat }, { rows, columns }) {
  const warmest = Math.max(...heat);
  if (!(warmest > 0)) return undefined;
  const place = heat.indexOf(warmest);
  const third = (at, size) => Math.floor(3 * (at + 0.5) / size);
  const vertical = ["top", "", "bottom"][third(Math.floor(place / columns), rows)];
  const horizontal = ["left", "", "right"][third(place % columns, columns)];
  return [vertical, horizontal].filter((word) => word !== "").join(" ") || "middle";
}
