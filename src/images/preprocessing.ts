// How image files become the network's input, in training, evaluation and captioning.

import type { ImageResize } from "../ffi/settings.ts";
import { type Alpha, ALPHAS, type DecodeImageOptions } from "./rgb_image.ts";

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
