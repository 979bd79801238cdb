import { isAbsolute, relative } from "node:path";
import { fileErrorReason } from "../files/file_error.ts";
import { ImageError } from "../images/image_error.ts";
import { checkImageBytes, checkRegularFile } from "../images/image_file.ts";
import { type DecodableKind, decodableKind } from "../images/image_kind.ts";
import { Problem } from "./problem.ts";

/**
 * Answers with an image file, which is streamed. The checks are of the open file: its path may lead elsewhere by now.
 *
 * @param folder The real path of the folder that it must be in.
 * @param signal Aborted if the client is gone.
 * @throws {Problem} 404 if it cannot be read any more.
 */
export async function readImageFile(path: string, folder: string, signal: AbortSignal): Promise<Response> {
  try {
    checkRegularFile(await Deno.stat(path)); // opening a pipe would wait for its writer
    const file = await Deno.open(path);
    try {
      await checkInside(await file.stat(), path, folder);
      const type = `image/${(await readKind(file)).toLowerCase()}`;
      signal.throwIfAborted(); // nobody would read the file, and close it
      // Another folder may have another image under this id.
      return new Response(file.readable, { headers: { "content-type": type, "cache-control": "no-cache" } });
    } catch (error) {
      file.close();
      throw error;
    }
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof ImageError ? error.reason : fileErrorReason(error);
    throw new Problem(404, `The image cannot be read any more: ${reason}`);
  }
}

async function checkInside(opened: Deno.FileInfo, path: string, folder: string): Promise<void> {
  checkRegularFile(opened);
  checkImageBytes(opened.size);
  const real = await Deno.realPath(path);
  const inner = relative(folder, real);
  // If a link was changed meanwhile, the real path leads to another file than the open one.
  const { dev, ino } = await Deno.lstat(real);
  if (/^\.\.(?:[/\\]|$)/.test(inner) || isAbsolute(inner) || dev !== opened.dev || ino !== opened.ino) {
    throw new ImageError("it is a link out of the folder");
  }
}

async function readKind(file: Deno.FsFile): Promise<DecodableKind> {
  const start = new Uint8Array(512);
  const size = await file.read(start) ?? 0;
  await file.seek(0, Deno.SeekMode.Start);
  return decodableKind(start.subarray(0, size));
}
