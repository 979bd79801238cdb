// The preprocessing of cached images, as the name of a cache folder.

import type { ImageResize } from "../ffi/settings.ts";

/** Everything except the image's bytes that determines the cached pixels. */
export interface Preprocessing {
  /** Side of the resized image in pixels. */
  readonly side: number;
  /** How it became a square. */
  readonly resize: ImageResize;
  /** The EXIF orientation is applied. */
  readonly applyExif: boolean;
}

/** Increase it if decoding or resizing changes any pixel, or the cache's file layout changes. */
const VERSION = 3;
const NAME = /^(\d{1,6})-(stretch-)?(exif|no-exif)-v(\d+)$/;

/** The name of the cache folder: `256-exif-v3`, `260-stretch-exif-v3`. */
export function preprocessingName({ side, resize, applyExif }: Preprocessing): string {
  return `${side}-${resize === "stretch" ? "stretch-" : ""}${applyExif ? "exif" : "no-exif"}-v${VERSION}`;
}

/**
 * Parses a folder name; undefined if it is not one. `current` tells whether this version still preprocesses images that
 * way.
 */
export function parsePreprocessing(name: string): Preprocessing & { readonly current: boolean } | undefined {
  const [, side, stretch, exif, version] = name.match(NAME) ?? [];
  if (side === undefined) return undefined;
  return {
    side: Number(side),
    resize: stretch === undefined ? "crop" : "stretch",
    applyExif: exif === "exif",
    current: Number(version) === VERSION,
  };
}
