import { fileErrorReason } from "./file_error.ts";
import { isLfsPointer, LFS_POINTER, MAX_POINTER_BYTES } from "./lfs_pointer.ts";
import { InputError } from "../input_error.ts";

export interface ReadTextFileOptions {
  /**
   * Maximum size in bytes.
   *
   * @default {256 MiB}
   */
  maxBytes?: number;
}

/** The largest captions file in use has 144 MB. */
const MAX_BYTES = 256 * 2 ** 20;

/**
 * Reads a text file in UTF-8 and strips a byte order mark. If all lines end with a lone carriage return, they end with
 * a line feed instead.
 *
 * @param what The file's content, for error messages: "captions".
 * @throws {InputError} If the file is missing, unreadable, too large, a pointer of Git LFS, or not text.
 */
export async function readTextFile(path: string, what: string, options: ReadTextFileOptions = {}): Promise<string> {
  const { maxBytes = MAX_BYTES } = options;
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  let size: number;
  try {
    const info = await Deno.stat(path);
    size = info.size;
    // Reading a pipe would block until someone writes to it.
    if (!info.isFile && !info.isDirectory) throw new InputError(`Cannot read ${what}: ${path} is not a regular file`);
    if (size <= maxBytes) bytes = await Deno.readFile(path);
  } catch (error) {
    // Deno's message already names the missing permission.
    if (error instanceof InputError || error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot read ${what} '${path}': ${fileErrorReason(error)}`, { cause: error });
  }
  if (bytes === undefined) {
    throw new InputError(`Cannot read ${what}: ${path} has ${size} bytes, more than ${maxBytes}; give a smaller file`);
  }
  let text: string | undefined;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    // The decoder throws a TypeError for invalid UTF-8.
    if (!(error instanceof TypeError)) throw error;
  }
  // Freed at once: 145 MB would otherwise stay until memory is short.
  bytes.buffer.transfer(0);
  if (text === undefined || text.includes("\0")) {
    throw new InputError(`Cannot read ${what}: ${path} is not a text file in UTF-8; convert it or name another file`);
  }
  if (text.length <= MAX_POINTER_BYTES && isLfsPointer(text)) {
    throw new InputError(`Cannot read ${what} '${path}': ${LFS_POINTER}`);
  }
  // Line ends of old Macs.
  return text.includes("\n") ? text : text.replaceAll("\r", "\n");
}
