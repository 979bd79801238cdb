import { isLfsPointer } from "../files/lfs_pointer.ts";
import { ImageError } from "./image_error.ts";

/** The formats that can be decoded. */
export type DecodableKind = "JPEG" | "PNG" | "WebP" | "GIF" | "TIFF" | "AVIF" | "HEIC";

/** What a file is, detected from its first bytes, never from its name. */
export type ImageKind = DecodableKind | keyof typeof ADVICE;

/** How names of images end: part of a pattern. */
export const IMAGE_ENDINGS = "jpe?g|png|webp|gif|tiff?|avif|hei[cf]";

/** What to tell the user about the others. */
const ADVICE = {
  "BMP": "is a BMP image, convert it to JPEG or PNG",
  "JPEG 2000": "is a JPEG 2000 image, convert it to JPEG or PNG",
  "JPEG XL": "is a JPEG XL image, convert it to JPEG or PNG",
  "SVG": "is an SVG drawing, convert it to JPEG or PNG",
  "PDF": "is a PDF document, convert it to JPEG or PNG",
  "HTML": "is a web page (HTML), not an image, download the image itself",
  "Git LFS": "is a pointer of Git LFS, not the image itself, run git lfs pull in its repository",
  "text": "is text, not an image, give an image file",
  "empty file": "is empty, fetch or copy it again",
  "unknown": "is not an image of a known format, give a JPEG, PNG, WebP, GIF, TIFF, AVIF or HEIC file",
} as const;

const BRANDS: Readonly<Record<string, ImageKind>> = Object.fromEntries([
  ...["avif", "avis"].map((brand) => [brand, "AVIF"]),
  ...["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"].map((brand) => [brand, "HEIC"]),
]);

/** Detects a file's format from at least its first 512 bytes. */
export function imageKind(bytes: Uint8Array): ImageKind {
  if (bytes.length === 0) return "empty file";
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return "JPEG";
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return "PNG";
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP") return "WebP";
  if (ascii(bytes, 4, 8) === "ftyp") return brandKind(bytes);
  if (["II*\0", "MM\0*", "II+\0", "MM\0+"].includes(ascii(bytes, 0, 4))) return "TIFF";
  if (ascii(bytes, 0, 4) === "GIF8") return "GIF";
  if (startsWith(bytes, [0xff, 0x4f, 0xff, 0x51]) || ascii(bytes, 4, 8) === "jP  ") return "JPEG 2000";
  if (startsWith(bytes, [0xff, 0x0a]) || ascii(bytes, 4, 8) === "JXL ") return "JPEG XL";
  if (ascii(bytes, 0, 5) === "%PDF-") return "PDF";
  // Text may begin with "BM" too; a bitmap's reserved bytes 6 to 9 are zero.
  if (ascii(bytes, 0, 2) === "BM" && bytes.length >= 10 && bytes.subarray(6, 10).every((byte) => byte === 0)) {
    return "BMP";
  }
  return isText(bytes.subarray(0, 512)) ? textKind(ascii(bytes, 0, 512)) : "unknown";
}

/**
 * Detects the format of an image.
 *
 * @throws {ImageError} If it cannot be decoded; the reason names the format and the remedy.
 */
export function decodableKind(bytes: Uint8Array): DecodableKind {
  const kind = imageKind(bytes);
  if (isOther(kind)) throw new ImageError(`the file ${ADVICE[kind]}`);
  return kind;
}

function isOther(kind: ImageKind): kind is keyof typeof ADVICE {
  return kind in ADVICE;
}

/** Decides by the first specific brand, since the major brand is often a general one. */
function brandKind(bytes: Uint8Array): ImageKind {
  const end = Math.min(bytes.length, 64, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0));
  // The major brand is followed by four bytes of version and the compatible brands.
  const brands = [8, ...Array.from({ length: 12 }, (_, index) => 16 + 4 * index)]
    .filter((start) => start + 4 <= end).map((start) => ascii(bytes, start, start + 4));
  const kinds = brands.flatMap((brand) => BRANDS[brand] ?? []);
  return kinds.includes("AVIF") ? "AVIF" : kinds[0] ?? "unknown";
}

function textKind(text: string): ImageKind {
  if (isLfsPointer(text)) return "Git LFS";
  const lower = text.toLowerCase();
  if (/^[^a-z<]*(?:<\?xml[^>]*>\s*|<!--(?:(?!-->)[^])*-->\s*|<!doctype svg[^>]*>\s*)*<svg[\s>]/.test(lower)) {
    return "SVG";
  }
  return /^[^a-z<]*(?:<!--(?:(?!-->)[^])*-->\s*)*<(?:!doctype html|html|head|body)\b/.test(lower) ? "HTML" : "text";
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

function isText(bytes: Uint8Array): boolean {
  if (bytes.some((byte) => byte === 0x7f || (byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d)))) return false;
  try {
    // The excerpt may end inside a character, so it is decoded as a stream.
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
