import { InputError } from "../input_error.ts";
import { fileErrorReason } from "./file_error.ts";
import { isLfsPointer, LFS_POINTER, MAX_POINTER_BYTES } from "./lfs_pointer.ts";

/** An open file for random access; close it with `using`. */
export interface RandomAccessFile extends Disposable {
  /** Size in bytes when it was opened. */
  readonly size: number;
  /**
   * Reads `length` bytes at `offset`. Calls may overlap.
   *
   * @throws {InputError} If the file ends before, or cannot be read.
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

export interface OpenFileOptions {
  /**
   * Whether to open a pointer of Git LFS like any other file.
   *
   * @default {false}
   */
  readonly asItIs?: boolean;
}

/**
 * As `Deno.open()`, for files that a user names: anything but a regular file is refused before it is opened, because
 * opening a named pipe would block until someone writes to it, and a device may never end.
 *
 * @throws {Error} The system's error, or one whose message is a reason for {@linkcode fileErrorReason}.
 */
export async function openRegular(path: string, options?: Deno.OpenOptions): Promise<Deno.FsFile> {
  if (!(await Deno.stat(path)).isFile) throw new Error("it is not a file");
  return await Deno.open(path, options);
}

/**
 * Reads a regular file of text.
 *
 * @param maxBytes A larger file is refused.
 * @throws {Error} As {@linkcode openRegular} does.
 */
export async function readRegularText(path: string, maxBytes: number): Promise<string> {
  using file = await openRegular(path);
  const { size } = await file.stat();
  if (size > maxBytes) throw new Error(`it has ${size} bytes, more than ${maxBytes}`);
  const bytes = new Uint8Array(size);
  return new TextDecoder().decode(bytes.subarray(0, await fill(bytes, file)));
}

/**
 * Opens a regular file.
 *
 * @throws {InputError} If it is missing, cannot be read, or is a pointer of Git LFS in place of the file; the message
 * contains path and reason.
 */
export async function openFile(path: string, { asItIs = false }: OpenFileOptions = {}): Promise<RandomAccessFile> {
  try {
    const file = await openRegular(path);
    try {
      const opened = new OpenFile(path, file, (await file.stat()).size);
      if (!asItIs && await isPointer(opened)) throw new Error(LFS_POINTER);
      return opened;
    } catch (error) {
      file.close();
      throw error;
    }
  } catch (error) {
    throw cannotRead(path, fileErrorReason(error), error);
  }
}

async function isPointer(file: RandomAccessFile): Promise<boolean> {
  return file.size <= MAX_POINTER_BYTES && isLfsPointer(new TextDecoder().decode(await file.read(0, file.size)));
}

/**
 * The error for a file that cannot be read.
 *
 * @param reason The reason and the remedy.
 */
export function cannotRead(path: string, reason: string, cause?: unknown): InputError {
  return new InputError(`Cannot read '${path}': ${reason}`, cause === undefined ? undefined : { cause });
}

/** Fills `bytes` from a file, or up to its end; returns how many were read. */
async function fill(bytes: Uint8Array, file: Deno.FsFile): Promise<number> {
  let filled = 0;
  while (filled < bytes.length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return filled;
}

class OpenFile implements RandomAccessFile {
  // Seek and read share one position, so reads are queued.
  #last: Promise<unknown> = Promise.resolve();

  constructor(readonly path: string, readonly file: Deno.FsFile, readonly size: number) {}

  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const piece = this.#last.then(() => this.#readAt(offset, length));
    this.#last = piece.catch(() => {});
    return piece;
  }

  async #readAt(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const bytes = new Uint8Array(length);
      await this.file.seek(offset, Deno.SeekMode.Start);
      const filled = await fill(bytes, this.file);
      if (filled < length) throw new Error(`it ends at byte ${offset + filled}, it changed while it was read`);
      return bytes;
    } catch (error) {
      throw cannotRead(this.path, fileErrorReason(error), error);
    }
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}
