// Decodes HEIC, which libvips in WebAssembly cannot: its makers leave the patented H.265 out. libheif is loaded when the
// first such file comes.

import type { RgbImage } from "./rgb_image.ts";
import { ImageError } from "./image_error.ts";
import { checkMemory, checkSize } from "./image_limits.ts";

/** The part of libheif's C interface that is used; the package's own classes print, and fail where nobody can catch it. */
interface Libheif {
  heif_context_alloc(): unknown;
  heif_context_free(context: unknown): void;
  heif_context_read_from_memory(
    context: unknown,
    bytes: Uint8Array,
  ): { readonly code: unknown; readonly message: string };
  heif_js_context_get_primary_image_handle(context: unknown): object;
  heif_image_handle_get_width(handle: object): number;
  heif_image_handle_get_height(handle: object): number;
  heif_image_handle_release(handle: object): void;
  heif_js_decode_image2(handle: object, colors: unknown, chroma: unknown): Promise<DecodedHeif | Failure>;
  heif_image_release(image: unknown): void;
  readonly heif_error_code: { readonly heif_error_Ok: unknown };
  readonly heif_colorspace: { readonly heif_colorspace_RGB: unknown };
  readonly heif_chroma: { readonly heif_chroma_interleaved_RGB: unknown };
}

interface Failure {
  readonly code: unknown;
}

interface DecodedHeif {
  readonly image: unknown;
  readonly channels: readonly {
    readonly width: number;
    readonly height: number;
    /** Bytes from one row to the next. */
    readonly stride: number;
    readonly data: Uint8Array;
  }[];
}

let loaded: Promise<Libheif> | undefined;

async function loadLibheif(): Promise<Libheif> {
  const { default: load } = await import("libheif-js/libheif-wasm/libheif-bundle.mjs");
  return load({ print: () => {}, printErr: () => {} });
}

/**
 * Decodes a HEIC image, turned upright as its own properties say, if the memory suffices; otherwise returns the memory
 * needed.
 *
 * @throws {ImageError} If it cannot be decoded.
 */
export async function decodeHeic(
  bytes: Uint8Array<ArrayBuffer>,
  { maxPixels, memory: granted }: { readonly maxPixels?: number; readonly memory: number },
): Promise<RgbImage | number> {
  const heif = await (loaded ??= loadLibheif());
  using cleanup = new DisposableStack();
  const context = cleanup.adopt(heif.heif_context_alloc(), (context) => heif.heif_context_free(context));
  const { code, message } = heif.heif_context_read_from_memory(context, bytes);
  if (code !== heif.heif_error_code.heif_error_Ok) throw damaged(message);
  const handle = heif.heif_js_context_get_primary_image_handle(context);
  if ("code" in handle) throw damaged();
  cleanup.defer(() => heif.heif_image_handle_release(handle));
  const [width, height] = [heif.heif_image_handle_get_width(handle), heif.heif_image_handle_get_height(handle)];
  checkSize({ width, height }, maxPixels);
  // Two copies of the file, what its decoder holds, and three copies of the image.
  const memory = 2 * bytes.length + 14 * width * height;
  checkMemory({ kind: "HEIC", width, height }, memory, maxPixels);
  if (memory > granted) return memory;
  const { heif_colorspace_RGB } = heif.heif_colorspace;
  const decoded = await heif.heif_js_decode_image2(
    handle,
    heif_colorspace_RGB,
    heif.heif_chroma.heif_chroma_interleaved_RGB,
  );
  if ("code" in decoded) throw damaged();
  cleanup.defer(() => heif.heif_image_release(decoded.image));
  const [channel] = decoded.channels;
  if (channel?.width !== width || channel.height !== height) throw damaged("its pixels do not match its header");
  const pixels = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    const from = row * channel.stride;
    pixels.set(channel.data.subarray(from, from + 3 * width), 3 * width * row);
  }
  return { width, height, pixels };
}

function damaged(why = ""): ImageError {
  const reasons = why.trim().replaceAll(/\s+/g, " ").slice(0, 200);
  const libheif = reasons === "" ? "" : ` (libheif: ${reasons})`;
  return new ImageError(`the HEIC is damaged or of an unsupported kind, save it again${libheif}`);
}
