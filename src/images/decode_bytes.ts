// Decodes an image with libvips; in a Worker only, since libvips blocks its thread.

import type { Alpha, DecodeImageOptions, RgbImage } from "./rgb_image.ts";
import { decodeHeic } from "./decode_heic.ts";
import { ImageError } from "./image_error.ts";
import { type DecodableKind, decodableKind } from "./image_kind.ts";
import { pngEndsEarly, pngOrientation, withoutTexts } from "./png_chunks.ts";
import { type Libvips, loadVips, type StartThread, type VipsImage } from "./load_vips.ts";
import { checkMemory, checkSize, type ImageSize } from "./image_limits.ts";

export interface DecodeBytesOptions extends DecodeImageOptions {
  /** Bytes of memory it may use. */
  memory: number;
  /** Has the main thread start a thread. */
  startThread: StartThread;
  /**
   * Is called when the decoder is loaded, and decoding begins.
   *
   * @default {undefined}
   */
  onLoaded?: () => void;
}

/**
 * Decodes an image if the memory suffices; otherwise returns the memory needed.
 *
 * @param file Its bytes; detached afterwards.
 * @throws {ImageError} If it cannot be decoded.
 */
export async function decodeBytes(
  file: Uint8Array<ArrayBuffer>,
  options: DecodeBytesOptions,
): Promise<RgbImage | number> {
  const kind = decodableKind(file);
  if (kind === "HEIC") {
    options.onLoaded?.();
    return await decodeHeic(file, options);
  }
  const bytes = kind === "PNG" ? withoutTexts(file) : file;
  const vips = await loadVips(kind === "AVIF", options.startThread);
  options.onLoaded?.();
  const isCut = kind === "PNG" && pngEndsEarly(bytes);
  return failuresAsImageErrors({ kind, isCut }, () => {
    using opened = open(vips, bytes);
    const header = readHeader(opened, kind, bytes);
    checkSize(header, options.maxPixels);
    const plan = planOf(kind, header, options);
    const memory = memoryOf(kind, bytes.length, header, plan);
    checkMemory({ ...header, kind }, memory, options.maxPixels);
    if (memory > options.memory) return memory;
    using reopened = plan.shrink > 1 || plan.orientation > 1 ? open(vips, bytes, plan) : undefined;
    // Freed now instead of by the garbage collector: libvips has its own copy.
    bytes.buffer.transfer(0);
    return decode(reopened ?? opened, plan, options);
  });
}

/** What decoding depends on besides the options. */
interface Header extends ImageSize {
  readonly bands: number;
  /** Bytes of a sample as it is stored. */
  readonly sampleBytes: number;
  readonly orientation: number;
  /** The decoder holds the whole image, not some rows: a progressive JPEG, an interlaced PNG. */
  readonly whole: boolean;
}

interface Plan {
  /** The size in the file. */
  readonly original: ImageSize;
  /** Of a JPEG: 1, 2, 4 or 8. */
  readonly shrink: number;
  /** The orientation to apply; 1 for none. */
  readonly orientation: number;
}

function readHeader(image: VipsImage, kind: DecodableKind, bytes: Uint8Array): Header {
  const numberOf = (field: string) => image.getTypeof(field) === 0 ? 0 : image.getInt(field);
  return {
    width: image.width,
    height: image.height,
    bands: image.bands,
    sampleBytes: SAMPLE_BYTES[image.format] ?? 16,
    orientation: kind === "PNG" ? pngOrientation(bytes) : Math.max(1, numberOf("orientation")),
    whole: numberOf("jpeg-multiscan") + numberOf("interlaced") > 0,
  };
}

function planOf(kind: DecodableKind, { width, height, orientation }: Header, options: DecodeImageOptions): Plan {
  const { applyExif = true, minShortSide = 0 } = options;
  const most = kind === "JPEG" && minShortSide > 0 ? Math.min(width, height) / minShortSide : 1;
  const shrink = [8, 4, 2].find((factor) => factor <= most) ?? 1;
  return { original: { width, height }, shrink, orientation: applyExif ? orientation : 1 };
}

/** Of the number formats of images. */
const SAMPLE_BYTES: Readonly<Record<string, number>> = {
  uchar: 1,
  char: 1,
  ushort: 2,
  short: 2,
  uint: 4,
  int: 4,
  float: 4,
};

/** Bytes that the decoder of a format holds for each pixel. */
const HELD: Readonly<Partial<Record<DecodableKind, number>>> = { AVIF: 20, WebP: 8, GIF: 8 };

/** The peak memory in bytes: two copies of the file, what its decoder holds, and two or three copies of the image. */
function memoryOf(
  kind: DecodableKind,
  file: number,
  { width, height, bands, sampleBytes, whole }: Header,
  plan: Plan,
): number {
  // A TIFF may be one strip.
  const held = HELD[kind] ?? (whole ? 2 * bands : kind === "TIFF" ? bands * sampleBytes : 0);
  const copies = bands + (plan.orientation > 1 ? bands * sampleBytes : 0) + (bands === 3 ? 3 : bands + 3);
  return 2 * file + Math.ceil(width * height * (held + copies / plan.shrink ** 2));
}

/** Reads the header; the pixels are decoded when they are used. */
function open(vips: Libvips, bytes: Uint8Array, plan?: Plan): VipsImage {
  const { shrink = 1, orientation = 1 } = plan ?? {};
  return vips.Image.newFromBuffer(bytes, shrink > 1 ? `[shrink=${shrink}]` : "", {
    // Turning needs all rows at once.
    access: orientation > 1 ? "random" : "sequential",
    fail_on: "error",
  });
}

function decode(stored: VipsImage, { original, shrink, orientation }: Plan, options: DecodeImageOptions): RgbImage {
  const { colorManagement = true, alpha = "white" } = options;
  using upright = turned(stored, orientation);
  using managed = colorManagement ? toSrgb(upright) : upright.copy();
  using eightBit = toEightBit(managed);
  const { width, height, bands } = eightBit;
  const samples = eightBit.writeToMemory() as Uint8Array<ArrayBuffer>;
  const isCmyk = eightBit.interpretation === "cmyk";
  const pixels = bands === 3 ? samples : toRgb(samples, { bands, isCmyk, alpha });
  return { width, height, pixels, ...(shrink > 1 && { original }) };
}

/** Applies an EXIF orientation. */
function turned(image: VipsImage, orientation: number): VipsImage {
  if (orientation === 1) return image.copy();
  using marked = image.copy();
  marked.setInt("orientation", orientation);
  return marked.autorot();
}

/** Applies the image's own profile, if it has one that fits its colors. */
function toSrgb(image: VipsImage): VipsImage {
  if (image.getTypeof("icc-profile-data") === 0) return image.copy();
  try {
    return image.iccTransform("srgb", { embedded: true, intent: "perceptual" });
  } catch {
    // Profiles that belong to other colors are common; viewers ignore them too.
    return image.copy();
  }
}

/** Gray, RGB or CMYK of 8 bits, with or without alpha. */
function toEightBit(image: VipsImage): VipsImage {
  switch (image.interpretation) {
    case "srgb":
    case "b-w":
    case "cmyk":
      return image.format === "uchar" ? image.copy() : image.cast("uchar");
    case "grey16":
    case "rgb16": {
      using upper = image.rshift(8);
      return upper.cast("uchar");
    }
    default:
      return image.colourspace("srgb");
  }
}

interface Samples {
  readonly bands: number;
  readonly isCmyk: boolean;
  readonly alpha: Alpha;
}

/** R, G, B of gray, gray and alpha, RGB and alpha, or inks. */
function toRgb(samples: Uint8Array, { bands, isCmyk, alpha }: Samples): Uint8Array<ArrayBuffer> {
  const count = samples.length / bands;
  const pixels = new Uint8Array(3 * count);
  const blends = alpha === "white" && !isCmyk && bands % 2 === 0;
  const isGray = bands < 3;
  for (let pixel = 0, from = 0, to = 0; pixel < count; pixel++, from += bands, to += 3) {
    const last = samples[from + bands - 1] ?? 255;
    for (let channel = 0; channel < 3; channel++) {
      const value = samples[from + (isGray ? 0 : channel)] ?? 0;
      pixels[to + channel] = isCmyk
        // Each ink transmits what it does not cover.
        ? Math.round((255 - value) * (255 - (samples[from + 3] ?? 0)) / 255)
        : blends
        ? Math.round((value * last + 255 * (255 - last)) / 255)
        : value;
    }
  }
  return pixels;
}

interface Fault {
  readonly kind: DecodableKind;
  readonly isCut: boolean;
}

/** libvips throws an error of its own: what it could not do, and below that why. */
function failuresAsImageErrors<Result>({ kind, isCut }: Fault, decode: () => Result): Result {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const lines = describe(error).split("\n").filter((line) => line !== "" && !line.startsWith("unable to "));
    const reasons = [...new Set(lines)].join("; ").slice(0, 200);
    // A damaged PNG ends too early for libvips, too.
    if (isCut || (kind !== "PNG" && /premature end|truncated|end of (?:stream|file)|not enough data/i.test(reasons))) {
      throw new ImageError(`the ${kind} ends too early, fetch or copy the file again`);
    }
    const why = reasons === "" ? "" : ` (libvips: ${reasons})`;
    throw new ImageError(`the ${kind} is damaged or of an unsupported kind, save it again${why}`);
  }
}

function describe(error: unknown): string {
  // Thrown by WebAssembly, and no Error: its type's name and its text.
  if (typeof error === "object" && error !== null && "message" in error && Array.isArray(error.message)) {
    return String(error.message[1]);
  }
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return error.message;
  throw error;
}
