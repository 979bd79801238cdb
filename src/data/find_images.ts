/**
 * Finding the folders that a dataset keeps its images in.
 *
 * @module
 */

import { basename, join, normalize } from "node:path";
import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";
import { type FolderListing, listFolder, listIfReadable } from "../files/list_folder.ts";
import type { ImageFile } from "../images/image_file.ts";

/** Options of {@linkcode findImages}. */
export interface FindImagesOptions {
  /** The folder of images, where the user named it. */
  images: string | undefined;
  /** Folders to look in otherwise, and for folders of images in them. */
  roots: readonly string[];
  /** The captions file, for error messages. */
  captions: string;
}

/**
 * Whether a folder is called as folders of images are in the Flickr datasets and COCO.
 *
 * @param name The folder's name.
 */
export function isImagesFolderName(name: string): boolean {
  return /^(?:images|flicke?r8k_dataset|flickr(?:8|30)k[-_]images|(?:train|val|test)20\d\d)$/i.test(name);
}

/**
 * Finds images by name; where several folders have one, in the first. Names may be written with composed or decomposed
 * letters, whichever the disk has. What is not found so is looked for once more with `/` for `\`, and in small or capital
 * letters where that leads to one file alone; then without its folders, where no other name ends like it.
 *
 * @param names Names from a captions file, with `/` where images lie in folders of their own.
 * @param options Where to look.
 * @returns Where each image is that is there.
 * @throws {InputError} If none is there or a folder that was named cannot be read.
 */
export async function findImages(
  names: readonly string[],
  options: FindImagesOptions,
): Promise<ReadonlyMap<string, ImageFile>> {
  const folders = options.images === undefined ? await candidates(options.roots) : [options.images];
  if (options.images !== undefined) await listFolder(options.images, "images");
  const listings = new Listings();
  const found = new Map<string, ImageFile>();
  let left = await findIn(folders, names.map((name) => ({ name, path: name })), { listings, found, exactly: true });
  if (left.length > 0) {
    const loosely = { listings, found, exactly: false };
    left = await findIn(folders, left.map((name) => ({ name, path: withSlashes(name) })), loosely);
    const last = (name: string) => basename(withSlashes(name));
    const ends = Map.groupBy(names, last);
    left = left.filter((name) => ends.get(last(name))?.length === 1);
    await findIn(folders, left.map((name) => ({ name, path: last(name) })), loosely);
  }
  if (found.size > 0) return found;
  // A folder that may not be read is passed over as long as the others have images.
  for (const folder of folders) await listFolder(folder, "images");
  throw new InputError(
    `Cannot read dataset: none of the ${names.length} images of ${options.captions} is in ${folders[0]}, ` +
      `for example ${quoted(names[0] ?? "")}; name their folder with --images`,
  );
}

/** Folders named for images, those inside them (archives like to nest), then the roots themselves. */
async function candidates(roots: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const root of roots) {
    for (const name of (await listFolder(root, "dataset")).folders.filter(isImagesFolderName)) {
      const folder = join(root, name);
      found.add(folder);
      const inner = (await listIfReadable(folder, "images")).folders.filter(isImagesFolderName);
      for (const innerName of inner) found.add(join(folder, innerName));
    }
  }
  for (const root of roots) found.add(root);
  return [...found];
}

function withSlashes(name: string): string {
  return name.replaceAll("\\", "/");
}

/** Looks in each folder for what is not found yet, and gives the names that are in none. */
async function findIn(
  folders: readonly string[],
  wanted: readonly { readonly name: string; readonly path: string }[],
  { listings, found, exactly }: { listings: Listings; found: Map<string, ImageFile>; exactly: boolean },
): Promise<string[]> {
  // An image that another name has exactly is that name's.
  const taken = exactly ? new Set() : new Set(found.values().map(({ path }) => path));
  let left = wanted;
  for (const folder of folders) {
    if (left.length === 0) break;
    const next: typeof wanted[number][] = [];
    for (const item of left) {
      const path = await listings.find(folder, item.path, exactly);
      if (path === undefined || taken.has(path)) next.push(item);
      else found.set(item.name, { path });
    }
    left = next;
  }
  return left.map(({ name }) => name);
}

/** Folders, each listed once. */
class Listings {
  readonly #names = new Map<string, Promise<{ files: Names; folders: Names }>>();

  /** The path of a file in a folder or in one below it, as the disk has it. */
  async find(folder: string, name: string, exactly: boolean): Promise<string | undefined> {
    const parts = normalize(name).split("/");
    const last = parts.pop() ?? "";
    let path = folder;
    for (const part of parts) {
      const inner = (await this.#list(path)).folders.get(part, exactly);
      if (inner === undefined) return undefined;
      path = join(path, inner);
    }
    const file = (await this.#list(path)).files.get(last, exactly);
    return file === undefined ? undefined : join(path, file);
  }

  #list(path: string): Promise<{ files: Names; folders: Names }> {
    const names = this.#names.get(path) ??
      listIfReadable(path, "images").then(({ files, folders }: FolderListing) => ({
        files: new Names(files),
        folders: new Names(folders),
      }));
    this.#names.set(path, names);
    return names;
  }
}

/** Names on the disk, found whether their letters are composed or not, and where it is wished in small and in capitals. */
class Names {
  readonly #exact: ReadonlySet<string>;
  readonly #byComposed: ReadonlyMap<string, string>;
  readonly #bySmall: ReadonlyMap<string, readonly string[]>;

  constructor(names: readonly string[]) {
    this.#exact = new Set(names);
    this.#byComposed = new Map(names.map((name) => [name.normalize("NFC"), name]));
    this.#bySmall = Map.groupBy(names, small);
  }

  get(name: string, exactly: boolean): string | undefined {
    const same = this.#exact.has(name) ? name : this.#byComposed.get(name.normalize("NFC"));
    if (same !== undefined || exactly) return same;
    const [only, second] = this.#bySmall.get(small(name)) ?? [];
    return second === undefined ? only : undefined;
  }
}

function small(name: string): string {
  return name.normalize("NFC").toLowerCase();
}
