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
 * Opens a regular file.
 *
 * @throws {InputError} If it is missing, cannot be read, or is a pointer of Git LFS in place of the file; the message
 * contains path and reason.
 */
export async function openFile(path: string, { asItIs = false }: OpenFileOptions = {}): Promise<RandomAccessFile> {
  try {
    // Checked before opening: opening a pipe would block until someone writes to it.
    if (!(await Deno.stat(path)).isFile) throw new Error("it is not a file");
    const file = await Deno.open(path);
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
      let filled = 0;
      while (filled < length) {
        const count = await this.file.read(bytes.subarray(filled));
        if (count === null) throw new Error(`it ends at byte ${offset + filled}, it changed while it was read`);
        filled += count;
      }
      return bytes;
    } catch (error) {
      throw cannotRead(this.path, fileErrorReason(error), error);
    }
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}
