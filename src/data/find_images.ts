import { basename, join, normalize } from "node:path";
import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";
import { type FolderListing, listFolder, listIfReadable } from "../files/list_folder.ts";
import type { ImageFile } from "../images/image_file.ts";

export interface FindImagesOptions {
  /** The folder of images, if the user named it. */
  images: string | undefined;
  /** Otherwise, folders to search, along with the folders of images in them. */
  roots: readonly string[];
  /** The captions file, for error messages. */
  captions: string;
}

/** Recognizes the names of image folders in the Flickr datasets and COCO. */
export function isImagesFolderName(name: string): boolean {
  return /^(?:images|flicke?r8k_dataset|flickr(?:8|30)k[-_]images|(?:train|val|test)20\d\d)$/i.test(name);
}

/**
 * Finds images by name; if several folders have one, the first wins. Composed and decomposed Unicode match each other.
 * Names not found are tried again with `/` for `\` and case-insensitively, if that matches a single file; then without
 * their folders, if no other name ends alike.
 *
 * @param names Names in a captions file, with `/` between folder and file.
 * @returns The images that exist.
 * @throws {InputError} If none exists or a named folder cannot be read.
 */
export async function findImages(
  names: readonly string[],
  options: FindImagesOptions,
): Promise<ReadonlyMap<string, ImageFile>> {
  const folders = options.images === undefined ? await candidates(options.roots) : [options.images];
  if (options.images !== undefined) await listFolder(options.images, "images");
  const listings = new Listings();
  const found = new Map<string, ImageFile>();
  let left = await findIn(folders, names.map((name) => ({ name, path: name })), { listings, found, exact: true });
  if (left.length > 0) {
    const loosely = { listings, found, exact: false };
    left = await findIn(folders, left.map((name) => ({ name, path: withSlashes(name) })), loosely);
    const last = (name: string) => basename(withSlashes(name));
    const ends = Map.groupBy(names, last);
    left = left.filter((name) => ends.get(last(name))?.length === 1);
    await findIn(folders, left.map((name) => ({ name, path: last(name) })), loosely);
  }
  if (found.size > 0) return found;
  // An unreadable folder is skipped as long as the others have images.
  for (const folder of folders) await listFolder(folder, "images");
  throw new InputError(
    `Cannot read dataset: none of the ${names.length} images of ${options.captions} is in ${folders[0]}, ` +
      `for example ${quoted(names[0] ?? "")}; name their folder with --images`,
  );
}

/** Image folders, the image folders inside them (archives like to nest), then the roots themselves. */
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

/** Searches the folders in turn and returns the names that are in none. */
async function findIn(
  folders: readonly string[],
  wanted: readonly { readonly name: string; readonly path: string }[],
  { listings, found, exact }: { listings: Listings; found: Map<string, ImageFile>; exact: boolean },
): Promise<string[]> {
  // A file that another name matches exactly belongs to that name.
  const taken = exact ? new Set() : new Set(found.values().map(({ path }) => path));
  let left = wanted;
  for (const folder of folders) {
    if (left.length === 0) break;
    const next: typeof wanted[number][] = [];
    for (const item of left) {
      const path = await listings.find(folder, item.path, exact);
      if (path === undefined || taken.has(path)) next.push(item);
      else found.set(item.name, { path });
    }
    left = next;
  }
  return left.map(({ name }) => name);
}

/** Caches folder listings. */
class Listings {
  readonly #names = new Map<string, Promise<{ files: Names; folders: Names }>>();

  /** The path of a file in a folder or below it, spelled as on disk. */
  async find(folder: string, name: string, exact: boolean): Promise<string | undefined> {
    const parts = normalize(name).split("/");
    const last = parts.pop() ?? "";
    let path = folder;
    for (const part of parts) {
      const inner = (await this.#list(path)).folders.get(part, exact);
      if (inner === undefined) return undefined;
      path = join(path, inner);
    }
    const file = (await this.#list(path)).files.get(last, exact);
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

/** Names on disk, matched across Unicode normalization and, on request, case. */
class Names {
  readonly #exact: ReadonlySet<string>;
  readonly #byComposed: ReadonlyMap<string, string>;
  readonly #byLowerCase: ReadonlyMap<string, readonly string[]>;

  constructor(names: readonly string[]) {
    this.#exact = new Set(names);
    this.#byComposed = new Map(names.map((name) => [name.normalize("NFC"), name]));
    this.#byLowerCase = Map.groupBy(names, lowerCase);
  }

  get(name: string, exact: boolean): string | undefined {
    const same = this.#exact.has(name) ? name : this.#byComposed.get(name.normalize("NFC"));
    if (same !== undefined || exact) return same;
    const [only, second] = this.#byLowerCase.get(lowerCase(name)) ?? [];
    return second === undefined ? only : undefined;
  }
}

function lowerCase(name: string): string {
  return name.normalize("NFC").toLowerCase();
}
