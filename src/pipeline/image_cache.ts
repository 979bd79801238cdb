/**
 * The photographs of a dataset, decoded and scaled once: squares of 8-bit pixels in one file.
 *
 * The file holds the squares one after the other, then a JSON text that says which photographs they are of, then that
 * text's length in bytes (uint32, little-endian) and eight bytes of mark.
 *
 * @module
 */

import { join } from "node:path";
import { z } from "zod";
import { fileErrorReason } from "../files/file_error.ts";
import { openFile, type RandomAccessFile } from "../files/open_file.ts";
import { type WritableFileSystem, writeAtomic } from "../files/write_atomic.ts";
import { InputError } from "../input_error.ts";
import type { Photograph } from "./dataset.ts";
import type { RgbImage } from "./decode_image.ts";
import type { Crop } from "./epoch_plan.ts";
import type { ImageDecoders } from "./image_decoders.ts";
import { ImageError } from "./image_error.ts";
import { readAhead } from "./read_ahead.ts";

/** Options of {@linkcode openImageCache}. */
export interface ImageCacheOptions {
  /** Where caches are kept; made if it is missing. */
  folder: string;
  /** Side of the squares in pixels. */
  square: number;
  /** Scales an image until its short side has `shortSide` pixels, and cuts the centre `crop` x `crop` x 3 out of it. */
  resizeCrop: (image: RgbImage, shortSide: number, crop: number) => Promise<Uint8Array>;
  /** Decodes the files. */
  decoders: Pick<ImageDecoders, "count" | "decode">;
  /**
   * Called after each photograph while the cache is made; not called where it is there already.
   *
   * @default {undefined}
   */
  onProgress?: (done: number, total: number) => void;
  /**
   * Ends the making of the cache.
   *
   * @default {undefined}
   */
  signal?: AbortSignal;
  /**
   * The file operations of writing.
   *
   * @default {Deno's}
   */
  fileSystem?: WritableFileSystem;
}

/** A photograph that is missing or cannot be decoded. */
export interface BrokenImage {
  /** Its path. */
  readonly path: string;
  /** What is wrong with it. */
  readonly reason: string;
}

/** An open cache: close it with `using`, after the last read has ended. */
export interface ImageCache extends Disposable {
  /** Side of the squares in pixels. */
  readonly square: number;
  /** A digest of the photographs and their pixels. */
  readonly fingerprint: string;
  /** The photographs that have pixels, in the order they were given. */
  readonly photographs: readonly Photograph[];
  /** The photographs that were left out. */
  readonly broken: readonly BrokenImage[];
  /**
   * Reads a part of a photograph's square. Reads may be asked for at the same time.
   *
   * @param index Its index in `photographs`.
   * @param side Side of the part in pixels.
   * @param into Filled: side x side x 3.
   * @param crop Where the part lies. By default in the centre; where that is off the middle by half a pixel, it begins at
   * the even row and column, as torchvision's CenterCrop does.
   * @throws {RangeError} If one of the arguments is out of range.
   * @throws {InputError} If the file cannot be read.
   */
  read(index: number, side: number, into: Uint8Array, crop?: Crop): Promise<void>;
}

/** To be raised when squares are made in another way, so that old caches are not reused. */
const FORMAT_VERSION = 1;
const MARK = "lrcnsqr1";

const Contents = z.strictObject({
  kept: z.array(z.int().nonnegative()),
  broken: z.array(z.strictObject({ index: z.int().nonnegative(), reason: z.string() })),
});
type Contents = z.infer<typeof Contents>;

/**
 * Opens the cache of these photographs, and makes it if it is not there. A cache is known by the photographs' names,
 * paths, sizes and times of change, so a file that changed means a new one. Until it is whole it has another name.
 *
 * @param photographs The photographs; those that cannot be decoded are left out and listed in `broken`.
 * @param options See {@linkcode ImageCacheOptions}.
 * @returns The open cache.
 * @throws {InputError} If no photograph can be decoded, or the cache cannot be written (where the disk is full, the
 * message says how much is needed).
 */
export async function openImageCache(
  photographs: readonly Photograph[],
  options: ImageCacheOptions,
): Promise<ImageCache> {
  const { folder, square, fileSystem, signal } = options;
  signal?.throwIfAborted();
  if (photographs.length === 0) throw new InputError("Cannot read images: there are no photographs");
  const fingerprint = await digest(photographs, square);
  const path = join(folder, `${fingerprint}.squares`);
  const found = await openIfWhole(path, photographs, { square, fingerprint });
  if (found !== undefined) return found;
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw new InputError(`Cannot create the folder '${folder}': ${fileErrorReason(error)}`, { cause: error });
  }
  await writeAtomic(path, squaresOf(photographs, options), {
    size: photographs.length * square * square * 3,
    ...(fileSystem !== undefined && { fileSystem }),
  });
  const made = await openIfWhole(path, photographs, { square, fingerprint });
  if (made === undefined) {
    throw new InputError(`Cannot read '${path}': it was changed by another program, start again`);
  }
  return made;
}

/** The file's content. Decoding runs ahead of scaling by as many images as there are Workers. */
async function* squaresOf(
  photographs: readonly Photograph[],
  options: ImageCacheOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { square, resizeCrop, decoders, onProgress, signal } = options;

  async function decode({ path }: Photograph): Promise<RgbImage | ImageError> {
    signal?.throwIfAborted();
    try {
      return await decoders.decode(path);
    } catch (error) {
      if (error instanceof ImageError) return error;
      throw error;
    }
  }

  const contents: Contents = { kept: [], broken: [] };
  let index = 0;
  for await (const image of readAhead(decode, photographs, decoders.count)) {
    signal?.throwIfAborted();
    if (image instanceof ImageError) {
      contents.broken.push({ index, reason: image.reason });
    } else {
      const pixels = await resizeCrop(image, square, square);
      if (pixels.length !== square * square * 3) {
        throw new RangeError(`Cannot cache images: a square of ${square} has ${pixels.length} bytes`);
      }
      contents.kept.push(index);
      yield pixels;
    }
    index++;
    onProgress?.(index, photographs.length);
  }
  if (contents.kept.length === 0) {
    const reason = contents.broken[0]?.reason;
    throw new InputError(
      `Cannot read images: none of ${photographs.length} can be decoded, the first is '${
        photographs[0]?.path
      }': ${reason}`,
    );
  }
  const text = new TextEncoder().encode(JSON.stringify(contents));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, text.length, true);
  yield text;
  yield length;
  yield new TextEncoder().encode(MARK);
}

async function digest(photographs: readonly Photograph[], square: number): Promise<string> {
  const files = await Promise.all(photographs.map(async ({ name, path }) => {
    try {
      const { size, mtime } = await Deno.stat(path);
      return [name, path, size, mtime?.getTime() ?? 0];
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      return [name, path, "missing"];
    }
  }));
  const bytes = new TextEncoder().encode(JSON.stringify([FORMAT_VERSION, square, files]));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function openIfWhole(
  path: string,
  photographs: readonly Photograph[],
  { square, fingerprint }: Pick<ImageCache, "square" | "fingerprint">,
): Promise<ImageCache | undefined> {
  let file: RandomAccessFile;
  try {
    file = await openFile(path);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
  try {
    const contents = await readContents(file, photographs.length, square);
    if (contents !== undefined) return new OpenImageCache(file, photographs, { square, fingerprint, contents });
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
  file[Symbol.dispose]();
  return undefined;
}

async function readContents(file: RandomAccessFile, count: number, square: number): Promise<Contents | undefined> {
  const tail = 4 + MARK.length;
  if (file.size < tail) return undefined;
  const end = await file.read(file.size - tail, tail);
  const length = new DataView(end.buffer).getUint32(0, true);
  if (new TextDecoder().decode(end.subarray(4)) !== MARK || length > file.size - tail) return undefined;
  const text = new TextDecoder().decode(await file.read(file.size - tail - length, length));
  const parsed = Contents.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const { kept, broken } = parsed.data;
  const indices = new Set([...kept, ...broken.map(({ index }) => index)]);
  const whole = kept.length + broken.length === count && indices.size === count &&
    [...indices].every((index) => index < count) &&
    file.size === kept.length * square * square * 3 + length + tail;
  return whole ? parsed.data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

class OpenImageCache implements ImageCache {
  readonly square: number;
  readonly fingerprint: string;
  readonly photographs: readonly Photograph[];
  readonly broken: readonly BrokenImage[];
  readonly #file: RandomAccessFile;

  constructor(
    file: RandomAccessFile,
    photographs: readonly Photograph[],
    { square, fingerprint, contents }: { square: number; fingerprint: string; contents: Contents },
  ) {
    this.#file = file;
    this.square = square;
    this.fingerprint = fingerprint;
    this.photographs = contents.kept.flatMap((index) => photographs[index] ?? []);
    this.broken = contents.broken.map(({ index, reason }) => ({ path: photographs[index]?.path ?? "", reason }));
  }

  async read(index: number, side: number, into: Uint8Array, crop?: Crop): Promise<void> {
    const { square } = this;
    if (!Number.isInteger(index) || index < 0 || index >= this.photographs.length) {
      throw new RangeError(
        `Cannot read an image: index must be from 0 to ${this.photographs.length - 1}, got ${index}`,
      );
    }
    if (!Number.isInteger(side) || side < 1 || side > square) {
      throw new RangeError(`Cannot read an image: side must be from 1 to ${square}, got ${side}`);
    }
    if (into.length !== side * side * 3) {
      throw new RangeError(`Cannot read an image: ${side} x ${side} x 3 bytes are needed, got ${into.length}`);
    }
    const middle = halfToEven(square - side);
    const { top, left, flip } = crop ?? { top: middle, left: middle, flip: false };
    if (![top, left].every((offset) => Number.isInteger(offset) && offset >= 0 && offset <= square - side)) {
      throw new RangeError(`Cannot read an image: a part of ${side} at ${top}, ${left} is not inside ${square}`);
    }
    const row = square * 3;
    const pixels = await this.#file.read((index * square + top) * row, side * row);
    for (let y = 0; y < side; y++) {
      const start = y * row + left * 3;
      into.set(pixels.subarray(start, start + side * 3), y * side * 3);
    }
    if (flip) mirror(into, side);
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** Exchanges left and right of side x side x 3 bytes. */
function mirror(pixels: Uint8Array, side: number): void {
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < Math.floor(side / 2); x++) {
      const [one, other] = [(y * side + x) * 3, (y * side + side - 1 - x) * 3];
      const kept = pixels.slice(one, one + 3);
      pixels.copyWithin(one, other, other + 3);
      pixels.set(kept, other);
    }
  }
}

/** Half of an integer, a half rounded to even. */
function halfToEven(twice: number): number {
  const down = Math.floor(twice / 2);
  return twice % 2 === 1 && down % 2 === 1 ? down + 1 : down;
}
