import { extname } from "node:path";
import { fileErrorReason } from "../files/file_error.ts";
import { checkImageBytes, checkRegularFile } from "../images/image_file.ts";
import { Problem } from "./problem.ts";

/** Of names that end otherwise than .jpg. */
const TYPES: Readonly<Record<string, string>> = {
  png: "image/png",
  webp: "image/webp",
  gif: "image/gif",
  tif: "image/tiff",
  tiff: "image/tiff",
  avif: "image/avif",
  heic: "image/heic",
  heif: "image/heif",
};

/**
 * Answers with an image file, which is streamed.
 *
 * @throws {Problem} 404 if it cannot be read any more.
 */
export async function readImageFile(path: string): Promise<Response> {
  try {
    const info = await Deno.stat(path);
    checkRegularFile(info);
    checkImageBytes(info.size);
    const file = await Deno.open(path);
    return new Response(file.readable, {
      headers: {
        "content-type": TYPES[extname(path).slice(1).toLowerCase()] ?? "image/jpeg",
        "cache-control": "no-cache", // another folder may have another image under this id
      },
    });
  } catch (error) {
    throw new Problem(404, `The image cannot be read any more: ${fileErrorReason(error)}`);
  }
}
