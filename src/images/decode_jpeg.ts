import { ImageError } from "./image_error.ts";
import { type JpegDecoder, newJpegDecoder } from "./image_wasm.js";
import { jpegCutError, jpegEndsEarly, type JpegHeader } from "./jpeg_header.ts";
import { type Turn, turnOf } from "./turned_pixels.ts";

/** A decoder whose memory grew beyond this many bytes is dropped, since WebAssembly memory never shrinks. */
const MAX_KEPT_MEMORY = 64 * 2 ** 20;

// One decoder is kept between images. Decoding never awaits, so two images cannot use it at once.
let kept: JpegDecoder | undefined;

/**
 * Decodes a JPEG with ImageScript's decoder and applies the header's orientation. Returns R, G, B of each pixel.
 *
 * @param release Called when the file's bytes are no longer needed.
 * @throws {ImageError} If the file is truncated or damaged.
 */
export function decodeJpeg(bytes: Uint8Array, header: JpegHeader, release?: () => void): Uint8Array<ArrayBuffer> {
  const decoder = kept ?? newJpegDecoder();
  // Kept again only after success: the state of a decoder that trapped is unknown.
  kept = undefined;
  const isCut = jpegEndsEarly(bytes, header.end);
  const result = failuresToZero(() => {
    const file = copyIn(decoder, bytes, header);
    release?.();
    return decoder.decode(file.pointer, file.length, 0, 0);
  });
  if (result === 0 || result === 1) {
    throw isCut ? jpegCutError() : new ImageError("the JPEG is damaged or of an unsupported kind, save it again");
  }
  const { width, height, components, orientation } = header;
  const format = decoder.decode_format(result);
  const pointer = decoder.decode_buffer(result) >>> 0;
  const samples = new Uint8Array(decoder.memory.buffer, pointer, decoder.wlen());
  const sameShape = decoder.decode_width(result) === width && decoder.decode_height(result) === height;
  if (!sameShape || [1, 3, 4][format] !== components || samples.length !== width * height * components) {
    throw new ImageError("the JPEG is damaged: its pixels do not match its header");
  }
  const pixels = new Uint8Array(width * height * 3);
  if (components === 3 && orientation === 1) pixels.set(samples);
  else paint(samples, pixels, { ...turnOf(width, height, orientation), components, stored: width });
  decoder.decode_free(result);
  if (decoder.memory.buffer.byteLength <= MAX_KEPT_MEMORY) kept = decoder;
  return pixels;
}

function copyIn(
  decoder: JpegDecoder,
  bytes: Uint8Array,
  { end, transform }: JpegHeader,
): { pointer: number; length: number } {
  const colors = adobeSegment(transform);
  const length = bytes.length + colors.length;
  const pointer = decoder.walloc(length) >>> 0;
  if (pointer === 0) throw new RangeError("Cannot copy an image to its decoder: out of memory");
  const copy = new Uint8Array(decoder.memory.buffer, pointer, length);
  copy.set(bytes.subarray(0, end));
  copy.set(colors, end);
  copy.set(bytes.subarray(end), end + colors.length);
  return { pointer, length };
}

/** WebAssembly traps if memory runs out or the decoder's own checks fail. */
function failuresToZero(decode: () => number): number {
  try {
    return decode();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return 0;
    throw error;
  }
}

/** The decoder knows the color transform only from this segment, and the last one wins, so each file gets one. */
function adobeSegment(transform: number): Uint8Array {
  return Uint8Array.of(0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform);
}

interface Painting extends Turn {
  readonly components: number;
  /** Pixels in a stored row. */
  readonly stored: number;
}

function paint(samples: Uint8Array, pixels: Uint8Array, { components, stored, first, column, row }: Painting): void {
  const step = 3 * column;
  for (let y = 0, from = 0; from < samples.length; y++) {
    let to = 3 * (first + y * row);
    for (let x = 0; x < stored; x++, from += components, to += step) {
      if (components === 3) {
        pixels[to] = samples[from] ?? 0;
        pixels[to + 1] = samples[from + 1] ?? 0;
        pixels[to + 2] = samples[from + 2] ?? 0;
      } else if (components === 1) {
        pixels[to] = pixels[to + 1] = pixels[to + 2] = samples[from] ?? 0;
      } else {
        // Each ink transmits what it does not cover: R = (255 - C)(255 - K) / 255.
        const white = 255 - (samples[from + 3] ?? 0);
        for (let ink = 0; ink < 3; ink++) {
          pixels[to + ink] = Math.round((255 - (samples[from + ink] ?? 0)) * white / 255);
        }
      }
    }
  }
}
