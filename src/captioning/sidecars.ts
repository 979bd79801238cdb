import { basename, dirname, join, parse } from "node:path";
import { fileErrorReason } from "../files/file_error.ts";
import { listFolder } from "../files/list_folder.ts";
import { cannotRead } from "../files/open_file.ts";
import { writeAtomic } from "../files/write_atomic.ts";
import { IMAGE_ENDINGS } from "../images/image_kind.ts";
import { InputError } from "../input_error.ts";
import { describeXmp, makeXmp } from "./xmp_description.ts";

/** Kinds of files beside an image that hold its caption. */
export const SIDECAR_KINDS = ["txt", "xmp"] as const;

/** One of {@linkcode SIDECAR_KINDS}. */
export type SidecarKind = typeof SIDECAR_KINDS[number];

/** Options of {@linkcode Sidecars}. */
export interface SidecarsOptions {
  /** `txt`: `photo.txt`, the caption alone; `xmp`: `photo.jpg.xmp`, with the caption as `dc:description`. */
  readonly kind: SidecarKind;
  /**
   * Replaces a caption that is there and differs.
   *
   * @default {false}
   */
  readonly force?: boolean;
}

const IMAGE_NAME = new RegExp(`\\.(?:${IMAGE_ENDINGS})$`, "i");
/** An XMP file holds settings and keywords, perhaps a small preview. */
const MAX_XMP_BYTES = 16 * 2 ** 20;

/** Writes captions into files beside the images. */
export class Sidecars {
  readonly #options: SidecarsOptions;
  /** The number of images in a folder by the stem of their name. */
  readonly #stems = new Map<string, Promise<ReadonlyMap<string, number>>>();
  /** The image of each text. */
  readonly #texts = new Map<string, string>();

  constructor(options: SidecarsOptions) {
    this.#options = options;
  }

  /**
   * Writes an image's caption. The image itself is never written to, and each file is written whole or not at all.
   *
   * @param image The path of the image; undefined if it came from standard input.
   * @throws {InputError} If another caption is there, the file is not such a file, or it cannot be written.
   */
  async write(image: string | undefined, caption: string): Promise<void> {
    if (image === undefined) {
      throw new InputError("Cannot write a caption beside the image: it came from standard input; name its file");
    }
    if (caption.trim() === "") {
      throw new InputError("Cannot write a caption beside the image: the model has no words for it; try --beam 1");
    }
    if (this.#options.kind === "xmp") return await this.#writeXmp(`${image}.xmp`, caption);
    const path = await this.#textBeside(image);
    const former = await readIfThere(path);
    const text = `${caption}\n`;
    if (former === undefined) return await write(path, text);
    if (former.trim() === caption.trim()) return;
    this.#requireForce(path);
    await write(path, text);
  }

  async #writeXmp(path: string, caption: string): Promise<void> {
    const before = await readIfThere(path, MAX_XMP_BYTES);
    if (before === undefined) return await write(path, makeXmp(caption));
    const { xmp, former } = describeXmp(before, caption, path);
    if (former?.trim() === caption.trim()) return;
    if (former !== undefined && former.trim() !== "") this.#requireForce(path);
    await write(path, xmp);
  }

  #requireForce(path: string): void {
    if (this.#options.force) return;
    throw new InputError(`Cannot write '${path}': it has another caption already; replace it with --force`);
  }

  /** `photo.txt`; but `photo.jpg.txt` if another image of the folder is called `photo`. */
  async #textBeside(image: string): Promise<string> {
    const folder = dirname(image);
    const { name } = parse(image);
    let stems = this.#stems.get(folder);
    if (stems === undefined) this.#stems.set(folder, stems = stemsIn(folder));
    const short = join(folder, `${name}.txt`);
    const own = this.#texts.get(short) ?? image;
    const isShared = ((await stems).get(name.toLowerCase()) ?? 0) > 1 || own !== image || short === image;
    const path = isShared ? `${image}.txt` : short;
    this.#texts.set(path, image);
    return path;
  }
}

async function stemsIn(folder: string): Promise<ReadonlyMap<string, number>> {
  const { files } = await listFolder(folder, "images");
  const stems = new Map<string, number>();
  for (const file of files.filter((file) => IMAGE_NAME.test(file))) {
    // Some file systems do not tell "A" from "a".
    const stem = parse(file).name.toLowerCase();
    stems.set(stem, (stems.get(stem) ?? 0) + 1);
  }
  return stems;
}

/** The text of a file with its byte order mark; undefined if there is none. */
async function readIfThere(path: string, maxBytes = 2 ** 20): Promise<string | undefined> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw new InputError(`Cannot write '${path}': it is not a file; move it`);
    if (size > maxBytes) throw new InputError(`Cannot write '${path}': it has ${size} bytes; move the file`);
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof InputError || error instanceof Deno.errors.NotCapable) throw error;
    throw cannotRead(path, fileErrorReason(error), error);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new InputError(`Cannot write '${path}': ${basename(path)} is there and not text in UTF-8; move the file`);
  }
}

async function write(path: string, text: string): Promise<void> {
  await writeAtomic(path, [new TextEncoder().encode(text)]);
}
