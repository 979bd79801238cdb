/**
 * What is done to images before they are cached, as the name of the cache's folder.
 *
 * @module
 */

/** Everything that decides a square's pixels beside the image's bytes. */
export interface Preprocessing {
  /** Side of the squares in pixels. */
  readonly side: number;
  /** Whether the orientation that a camera noted is applied. */
  readonly applyExif: boolean;
}

/** To be raised when decoding or resizing gives other pixels, or the files are laid out in another way. */
const VERSION = 3;
const NAME = /^(\d{1,6})-(exif|no-exif)-v(\d+)$/;

/**
 * The name of the folder for squares that are made in this way: `256-exif-v3`.
 *
 * @param preprocessing How they are made.
 */
export function preprocessingName({ side, applyExif }: Preprocessing): string {
  return `${side}-${applyExif ? "exif" : "no-exif"}-v${VERSION}`;
}

/**
 * Reads such a name.
 *
 * @param name A folder's name.
 * @returns How its squares were made, and whether this program makes them so still; undefined if it is no such name.
 */
export function parsePreprocessing(name: string): Preprocessing & { readonly current: boolean } | undefined {
  const [, side, exif, version] = name.match(NAME) ?? [];
  if (side === undefined) return undefined;
  return { side: Number(side), applyExif: exif === "exif", current: Number(version) === VERSION };
}
