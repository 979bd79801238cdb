/**
 * From the bytes of a JPEG or PNG file to its pixels.
 *
 * @module
 */

import { ImageError } from "./image_error.ts";
import { cutError, endsEarly, type ImageHeader, readImageHeader } from "./image_header.ts";
import type { JpegDecoder, PngDecoder } from "./image_wasm.js";

/** A picture of 8-bit colours. */
export interface RgbImage {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** R, G, B of each pixel, row by row from the top: height x width x 3. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** Options of {@linkcode decodeImage}. */
export interface DecodeImageOptions {
  /**
   * The most pixels that an image may declare; one with more is refused before anything is decoded.
   *
   * @default {50e6}
   */
  maxPixels?: number;
}

/** The most that one side may exceed the other: a strip's long side would be scaled up without limit. */
const MAX_ASPECT = 64;
/** A decoder whose memory grew past this many bytes is dropped, since memory never shrinks. */
const MAX_KEPT_MEMORY = 64 * 2 ** 20;

// One decoder of each kind is kept between images. Decoding never awaits, so two images cannot meet in one.
let jpegDecoder: JpegDecoder | undefined;
let pngDecoder: PngDecoder | undefined;

/**
 * Decodes a JPEG (baseline or progressive; grey, RGB, CMYK) or PNG. Transparent PNGs are laid over white. The
 * orientation that a camera noted in the file is not applied.
 *
 * @param bytes The whole file.
 * @param options See {@linkcode DecodeImageOptions}.
 * @returns The picture.
 * @throws {ImageError} If the file is no JPEG or PNG, is cut or damaged, or is too large or too elongated.
 *
 * @example Size of a picture
 * ```ts ignore
 * import { decodeImage } from "./mod.ts";
 *
 * const image = await decodeImage(await Deno.readFile("dog.jpg"));
 * console.log(image.width, image.height);
 * ```
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeImageOptions = {}): Promise<RgbImage> {
  const { maxPixels = 50e6 } = options;
  const header = readImageHeader(bytes);
  const { width, height } = header;
  if (width * height > maxPixels) {
    throw new ImageError(`the image has ${width} x ${height} pixels, scale it down to at most ${maxPixels} in all`);
  }
  if (Math.max(width, height) > MAX_ASPECT * Math.min(width, height)) {
    throw new ImageError(
      `the image has ${width} x ${height} pixels, crop it to at most ${MAX_ASPECT} times its short side`,
    );
  }
  const { newJpegDecoder, newPngDecoder } = await import("./image_wasm.js");
  if (header.kind === "jpeg") {
    const decoder = jpegDecoder ?? newJpegDecoder();
    // Kept again only after success: a decoder that trapped is in no known state.
    jpegDecoder = undefined;
    const image = decodeJpeg(decoder, bytes, header);
    if (decoder.memory.buffer.byteLength <= MAX_KEPT_MEMORY) jpegDecoder = decoder;
    return image;
  }
  const decoder = pngDecoder ?? newPngDecoder();
  pngDecoder = undefined;
  const image = decodePng(decoder, bytes, header);
  if (decoder.memory.buffer.byteLength <= MAX_KEPT_MEMORY) pngDecoder = decoder;
  return image;
}

function decodeJpeg(decoder: JpegDecoder, bytes: Uint8Array, header: ImageHeader): RgbImage {
  const result = trapsToErrors(bytes, header, () => {
    const pointer = copyIn(decoder, bytes);
    return decoder.decode(pointer, bytes.length, 0, 0);
  });
  if (result === 0 || result === 1) throw failure(bytes, header);
  const width = decoder.decode_width(result);
  const height = decoder.decode_height(result);
  const format = decoder.decode_format(result);
  const pointer = decoder.decode_buffer(result) >>> 0;
  const samples = new Uint8Array(decoder.memory.buffer, pointer, decoder.wlen());
  const channels = [1, 3, 4][format];
  if (!sameShape(header, width, height) || channels === undefined || samples.length !== width * height * channels) {
    throw new ImageError("the JPEG is damaged: its pixels are not those that its header declares");
  }
  const pixels = new Uint8Array(width * height * 3);
  if (channels === 3) pixels.set(samples);
  else if (channels === 1) greyToRgb(samples, pixels);
  else cmykToRgb(samples, pixels);
  decoder.decode_free(result);
  return { width, height, pixels };
}

function decodePng(decoder: PngDecoder, bytes: Uint8Array, header: ImageHeader): RgbImage {
  const result = trapsToErrors(bytes, header, () => {
    const pointer = copyIn(decoder, bytes);
    const status = decoder.decode(pointer, bytes.length);
    decoder.wfree(pointer);
    return status;
  });
  if (result < 0) throw failure(bytes, header);
  const width = decoder.width();
  const height = decoder.height();
  if (!sameShape(header, width, height)) {
    throw new ImageError("the PNG is damaged: its pixels are not those that its header declares");
  }
  const pixels = new Uint8Array(width * height * 3);
  overWhite(new Uint8Array(decoder.memory.buffer, result, width * height * 4), pixels);
  decoder.wfree(result);
  return { width, height, pixels };
}

function copyIn(decoder: JpegDecoder | PngDecoder, bytes: Uint8Array): number {
  const pointer = decoder.walloc(bytes.length) >>> 0;
  if (pointer === 0) throw new RangeError("Cannot copy an image to its decoder: no memory is left");
  new Uint8Array(decoder.memory.buffer).set(bytes, pointer);
  return pointer;
}

/** A trap is how WebAssembly says that memory ran out or that the decoder's own checks failed. */
function trapsToErrors(bytes: Uint8Array, header: ImageHeader, decode: () => number): number {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError)) throw error;
    throw failure(bytes, header);
  }
}

function failure(bytes: Uint8Array, header: ImageHeader): ImageError {
  if (endsEarly(bytes, header)) return cutError(header.kind);
  const kind = header.kind.toUpperCase();
  if (header.kind === "jpeg" && header.components === 4) {
    return new ImageError(`the CMYK ${kind} is damaged or of a rare variety, save it in RGB`);
  }
  return new ImageError(`the ${kind} is damaged or of a rare variety, save it anew`);
}

function sameShape(header: ImageHeader, width: number, height: number): boolean {
  return header.width === width && header.height === height;
}

function greyToRgb(grey: Uint8Array, rgb: Uint8Array): void {
  for (let from = 0, to = 0; from < grey.length; from++) {
    const value = grey[from] ?? 0;
    rgb[to++] = value;
    rgb[to++] = value;
    rgb[to++] = value;
  }
}

/** Each ink lets through what it does not cover: R = (255 - C)(255 - K) / 255, rounded. */
function cmykToRgb(cmyk: Uint8Array, rgb: Uint8Array): void {
  for (let from = 0, to = 0; from < cmyk.length; from += 4) {
    const white = 255 - (cmyk[from + 3] ?? 0);
    for (let ink = 0; ink < 3; ink++) rgb[to++] = Math.round((255 - (cmyk[from + ink] ?? 0)) * white / 255);
  }
}

function overWhite(rgba: Uint8Array, rgb: Uint8Array): void {
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const alpha = rgba[from + 3] ?? 255;
    for (let channel = 0; channel < 3; channel++) {
      rgb[to++] = Math.round(((rgba[from + channel] ?? 0) * alpha + 255 * (255 - alpha)) / 255);
    }
  }
}
