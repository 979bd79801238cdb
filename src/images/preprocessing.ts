/**
 * What is done to photographs before they are cached, as the name of the cache's folder.
 *
 * @module
 */

/** Everything that decides a square's pixels beside the photograph's bytes. */
export interface Preprocessing {
  /** Side of the squares in pixels. */
  readonly square: number;
  /** Whether the orientation that a camera noted is applied. */
  readonly orientation: "obeyed" | "ignored";
}

/** To be raised when decoding or resizing gives other pixels, or the files are laid out in another way. */
const VERSION = 2;
const NAME = /^(\d{1,6})-(obeyed|ignored)-v(\d+)$/;

/**
 * The name of the folder for squares that are made in this way: `256-obeyed-v2`.
 *
 * @param preprocessing How they are made.
 */
export function preprocessingName({ square, orientation }: Preprocessing): string {
  return `${square}-${orientation}-v${VERSION}`;
}

/**
 * Reads such a name.
 *
 * @param name A folder's name.
 * @returns How its squares were made, and whether this program makes them so still; undefined if it is no such name.
 */
export function parsePreprocessing(name: string): Preprocessing & { readonly current: boolean } | undefined {
  const [, square, orientation, version] = name.match(NAME) ?? [];
  if (orientation !== "obeyed" && orientation !== "ignored") return undefined;
  return { square: Number(square), orientation, current: Number(version) === VERSION };
}
