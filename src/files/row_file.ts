import { InputError } from "../input_error.ts";
import { fileErrorReason } from "./file_error.ts";

/**
 * A temporary file of rows of equal length, written once and read once. It is unlinked at once, so that nothing is left
 * of it whatever happens.
 */
export class RowFile implements Disposable {
  readonly #file: Deno.FsFile;
  #length: number | undefined;
  #count = 0;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Creates an empty file in the system's folder for temporary files.
   *
   * @throws {InputError} If no file can be created there.
   */
  static async create(): Promise<RowFile> {
    return await orInputError(async () => {
      const path = await Deno.makeTempFile({ prefix: "lrcn-" });
      try {
        return new RowFile(await Deno.open(path, { read: true, write: true }));
      } finally {
        await Deno.remove(path);
      }
    });
  }

  /**
   * Appends a row.
   *
   * @throws {RangeError} If its length differs from the first row's.
   * @throws {InputError} If the disk is full.
   */
  async append(row: Float32Array<ArrayBuffer>): Promise<void> {
    this.#length ??= row.length;
    if (row.length !== this.#length) {
      throw new RangeError(`Cannot write a row: it has ${row.length} numbers, the first has ${this.#length}`);
    }
    let bytes = new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
    await orInputError(async () => {
      while (bytes.length > 0) bytes = bytes.subarray(await this.#file.write(bytes));
    });
    this.#count++;
  }

  /** Yields the rows in order. Do not append meanwhile. */
  async *rows(): AsyncGenerator<Float32Array<ArrayBuffer>, void, undefined> {
    await this.#file.seek(0, Deno.SeekMode.Start);
    for (let index = 0; index < this.#count; index++) {
      const row = new Float32Array(this.#length ?? 0);
      let bytes = new Uint8Array(row.buffer);
      while (bytes.length > 0) bytes = bytes.subarray(await this.#file.read(bytes) ?? bytes.length);
      yield row;
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

async function orInputError<Value>(operation: () => Promise<Value>): Promise<Value> {
  try {
    return await operation();
  } catch (error) {
    throw new InputError(`Cannot keep scores in a temporary file: ${fileErrorReason(error)}`, { cause: error });
  }
}
