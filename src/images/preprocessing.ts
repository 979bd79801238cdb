// How image files become the network's input, in training, evaluation and captioning.

import type { ImageResize } from "../ffi/settings.ts";
import { type Alpha, ALPHAS, type DecodeImageOptions, type RgbImage } from "./rgb_image.ts";

/** How image files are decoded. */
export interface ImageDecoding {
  /** The EXIF orientation is applied. */
  readonly applyExif: boolean;
  /**
   * The colors of an image's profile become sRGB.
   *
   * @default {applyExif, which is false in the notebook recipe}
   */
  readonly colorManagement?: boolean;
  /**
   * What becomes of transparency.
   *
   * @default {"white"}
   */
  readonly alpha?: Alpha;
  /**
   * A JPEG is decoded at half, a quarter or an eighth of its size if its short side keeps twice the pixels that it is
   * resized to.
   *
   * @default {applyExif}
   */
  readonly shrinkOnLoad?: boolean;
}

/** Fills in what is not given. */
export function completeDecoding(decoding: ImageDecoding): Required<ImageDecoding> {
  const { applyExif, colorManagement = applyExif, alpha = "white", shrinkOnLoad = applyExif } = decoding;
  return { applyExif, colorManagement, alpha, shrinkOnLoad };
}

/** The options to decode an image whose short side is then resized to `shortSide` pixels. */
export function decodeOptions(shortSide: number, decoding: ImageDecoding): DecodeImageOptions {
  const { shrinkOnLoad, ...others } = completeDecoding(decoding);
  return { ...others, minShortSide: shrinkOnLoad ? 2 * shortSide : 0 };
}

/** The part of an engine that resizes; its type would bring in the native library. */
export interface Resizer {
  resizeCrop(image: RgbImage, shortSide: number, crop: number, resize?: ImageResize): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Resizes a decoded image to the square that caches and queues hold; its center crop is the network's input.
 *
 * @returns An image of its own, `shortSide` pixels wide and high.
 */
export async function resizeImage(
  engine: Resizer,
  image: RgbImage,
  { shortSide: side, resize }: { readonly shortSide: number; readonly resize?: ImageResize },
): Promise<RgbImage> {
  const isResized = image.width === side && image.height === side && image.pixels.length === side * side * 3;
  const pixels = isResized ? image.pixels.slice() : await engine.resizeCrop(image, side, side, resize);
  return { width: side, height: side, pixels };
}

/**
 * Copies the center crop of a square image. If the margins differ by one pixel, the crop starts at the even row and
 * column, as in torchvision's CenterCrop.
 *
 * @param pixels size x size x 3.
 * @param into Receives side x side x 3.
 * @throws {RangeError} If a length does not fit a square, or the crop is larger than the image.
 */
export function centerCrop(pixels: Uint8Array, into: Uint8Array): void {
  const [size, side] = [Math.sqrt(pixels.length / 3), Math.sqrt(into.length / 3)];
  if (![size, side].every(Number.isInteger)) {
    throw new RangeError(`Cannot crop: ${pixels.length} and ${into.length} bytes do not form square images`);
  }
  if (side > size) throw new RangeError(`Cannot crop: a crop of ${side} does not fit into ${size}`);
  const start = halfToEven(size - side);
  for (let y = 0; y < side; y++) {
    const from = ((start + y) * size + start) * 3;
    into.set(pixels.subarray(from, from + side * 3), y * side * 3);
  }
}

/** Half of an integer, rounded to even. */
export function halfToEven(twice: number): number {
  const down = Math.floor(twice / 2);
  return twice % 2 === 1 && down % 2 === 1 ? down + 1 : down;
}

/** Everything except the image's bytes that determines the cached pixels. */
export interface Preprocessing extends ImageDecoding {
  /** Side of the resized image in pixels. */
  readonly side: number;
  /** How it became a square. */
  readonly resize: ImageResize;
}

/** Increase it if decoding or resizing changes any pixel, or the cache's file layout changes. */
const VERSION = 5;
const NAME = /^(\d{1,6})-(stretch-)?(no-exif-)?(no-profile-)?(drop-alpha-)?(whole-)?v(\d+)$/;
const [WHITE, DROP] = ALPHAS;

/** The name of the cache folder: `256-v5`, `260-stretch-v5`, `256-no-exif-no-profile-drop-alpha-whole-v5`. */
export function preprocessingName(preprocessing: Preprocessing): string {
  const { side, resize } = preprocessing;
  const { applyExif, colorManagement, alpha, shrinkOnLoad } = completeDecoding(preprocessing);
  const parts = [
    [resize === "stretch", "stretch-"],
    [!applyExif, "no-exif-"],
    [!colorManagement, "no-profile-"],
    [alpha === DROP, "drop-alpha-"],
    [!shrinkOnLoad, "whole-"],
  ] as const;
  return `${side}-${parts.map(([holds, part]) => holds ? part : "").join("")}v${VERSION}`;
}

/**
 * Parses a folder name; undefined if it is not one. `current` tells whether this version still preprocesses images that
 * way.
 */
export function parsePreprocessing(
  name: string,
): Required<Preprocessing> & { readonly current: boolean } | undefined {
  const [, side, stretch, noExif, noProfile, drop, whole, version] = name.match(NAME) ?? [];
  if (side === undefined) return undefined;
  return {
    side: Number(side),
    resize: stretch === undefined ? "crop" : "stretch",
    applyExif: noExif === undefined,
    colorManagement: noProfile === undefined,
    alpha: drop === undefined ? WHITE : DROP,
    shrinkOnLoad: whole === undefined,
    current: Number(version) === VERSION,
  };
}
