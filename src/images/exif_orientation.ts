/**
 * EXIF orientation (EXIF 2.32, tag 0x0112): 1 upright, 2 mirrored left to right, 3 rotated by 180 degrees, 4 mirrored
 * top to bottom, 5 transposed, 6 to be rotated 90 degrees clockwise, 7 transposed about the other diagonal, 8 to be
 * rotated 90 degrees counter-clockwise.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;
const LONG = 4;

/**
 * Reads the orientation out of EXIF data; 1 if there is none or the data make no sense. Only the first directory is
 * read, so offsets cannot form a loop.
 *
 * @param exif The TIFF structure: the bytes after `Exif\0\0` in a JPEG, or a PNG's `eXIf` chunk. Any bytes are safe.
 */
export function exifOrientation(exif: Uint8Array): Orientation {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  if (view.byteLength < 8) return 1;
  const order = view.getUint16(0);
  const little = order === 0x4949;
  if ((!little && order !== 0x4d4d) || view.getUint16(2, little) !== 42) return 1;
  const directory = view.getUint32(4, little);
  if (directory + 2 > view.byteLength) return 1;
  const entries = view.getUint16(directory, little);
  for (let entry = 0; entry < entries; entry++) {
    const position = directory + 2 + 12 * entry;
    if (position + 12 > view.byteLength) return 1;
    if (view.getUint16(position, little) !== ORIENTATION_TAG) continue;
    const type = view.getUint16(position + 2, little);
    if (type === SHORT) return orientation(view.getUint16(position + 8, little));
    return type === LONG ? orientation(view.getUint32(position + 8, little)) : 1;
  }
  return 1;
}

function orientation(value: number): Orientation {
  return value >= 1 && value <= 8 ? value as Orientation : 1;
}
