import { join, normalize } from "node:path";
import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";
import { type FolderListing, innerFolders, listFolder, listIfReadable } from "../files/list_folder.ts";
import type { ImageFile } from "../images/image_file.ts";
import { caselessKey, decodedKey, isImageName, type NameKey, numberKey, pathParts, stemKey } from "./image_names.ts";
import { splitOfPath } from "./split_name.ts";

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

/** Folders searched before giving up. */
const MAX_FOLDERS = 1000;
/** Archives that images come in. */
const ARCHIVE = /\.(?:zip|tar|tar\.\w+|tgz|7z|rar)$/i;

/** Spellings that are tried in turn. */
const KEYS: readonly NameKey[] = [caselessKey, decodedKey, stemKey, numberKey];

/**
 * Finds images by name; if several folders have one, the first wins. Composed and decomposed Unicode match each other.
 * Names not found are tried again in other spellings, if exactly one file is meant: with `/` for `\`, without leading
 * folders, in another case, with `%20` for a space, with another ending or none, and without leading zeros or the
 * beginning of COCO's names of 2014.
 *
 * @param names Names in a captions file, with `/` between folder and file.
 * @returns The images that exist.
 * @throws {InputError} If none exists or a named folder cannot be read.
 */
export async function findImages(
  names: readonly string[],
  options: FindImagesOptions,
): Promise<ReadonlyMap<string, ImageFile>> {
  const { images, roots } = options;
  const folders = images === undefined ? await imageFolders(roots) : [images];
  if (images !== undefined) await listFolder(images, "images");
  const search = { listings: new Listings(), found: new Map<string, ImageFile>() };
  const { listings, found } = search;
  let left: string[] = [];
  for (const name of names) {
    const path = await listings.first(folders, normalize(name).split("/"));
    if (path === undefined) left.push(name);
    else found.set(name, { path });
  }
  const written = new Map(names.map((name) => [name, pathParts(name)]));
  if (left.length > 0) {
    left = await findLoosely(left, { ...search, written, folders, key: caselessKey, unique: false });
    const all = [...folders, ...images === undefined ? await splitFolders(roots) : []];
    for (const key of KEYS) left = await findLoosely(left, { ...search, written, folders: all, key, unique: true });
  }
  if (left.length > 0) {
    const deep = await foldersBelow(images === undefined ? roots : [images]);
    await findLoosely(left, { ...search, written, folders: deep, key: caselessKey, unique: true });
  }
  if (found.size > 0) return found;
  // An unreadable folder is skipped as long as the others have images.
  for (const folder of folders) await listFolder(folder, "images");
  throw new InputError(
    `Cannot read dataset: none of the ${names.length} images of ${options.captions} is in ${folders[0]}, ` +
      `for example ${quoted(names[0] ?? "")}${await besideMissing(folders)} name their folder with --images`,
  );
}

/** Image folders, the image folders inside them (archives like to nest), then the roots themselves. */
async function imageFolders(roots: readonly string[]): Promise<string[]> {
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

/** Folders named for a split, and the image folders inside them. */
async function splitFolders(roots: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const root of roots) {
    for (const name of (await listIfReadable(root, "images")).folders) {
      if (splitOfPath(name)?.common !== "") continue;
      const folder = join(root, name);
      const inner = (await listIfReadable(folder, "images")).folders.filter(isImagesFolderName);
      found.push(folder, ...inner.map((innerName) => join(folder, innerName)));
    }
  }
  return found;
}

/** All folders below others, up to a number. */
async function foldersBelow(roots: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const root of roots) {
    for await (const { path } of innerFolders(root, "images")) {
      found.add(join(root, path));
      if (found.size === MAX_FOLDERS) break;
    }
  }
  return [...found];
}

/** What the folders have instead of the images: one of another name, or an archive. */
async function besideMissing(folders: readonly string[]): Promise<string> {
  let archive: string | undefined;
  for (const folder of folders) {
    const { files } = await listIfReadable(folder, "images");
    const other = files.find(isImageName);
    if (other !== undefined) return `, while ${folder} has ${quoted(other)};`;
    archive ??= files.filter((name) => ARCHIVE.test(name)).map((name) => join(folder, name))[0];
  }
  return archive === undefined ? ", and these folders have no image;" : `; unpack ${archive}, or`;
}

interface LooseSearch {
  readonly listings: Listings;
  readonly found: Map<string, ImageFile>;
  /** The parts of all names' paths. */
  readonly written: ReadonlyMap<string, readonly string[]>;
  readonly folders: readonly string[];
  readonly key: NameKey;
  /** Whether to refuse a name that several folders have, instead of taking the first. */
  readonly unique: boolean;
}

/** Searches names by a key, whole and then without their leading folders, and returns those that are not found. */
async function findLoosely(names: readonly string[], search: LooseSearch): Promise<string[]> {
  const { listings, found, written, folders, key, unique } = search;
  // A file that another name matches better belongs to that name.
  const taken = new Set(found.values().map(({ path }) => path));
  const partsOf = (name: string) => written.get(name) ?? [];
  let left = [...names];
  for (let length = Math.max(...left.map((name) => partsOf(name).length)); length > 0 && left.length > 0; length--) {
    const endings = new Map<string, number>();
    for (const parts of written.values()) {
      const ending = parts.length < length ? undefined : keyedEnding(parts, length, key);
      if (ending !== undefined) endings.set(ending, (endings.get(ending) ?? 0) + 1);
    }
    const next: string[] = [];
    for (const name of left) {
      const parts = partsOf(name);
      const ending = parts.length < length ? undefined : keyedEnding(parts, length, key);
      const isWhole = parts.length === length;
      const isMeant = ending !== undefined && (endings.get(ending) === 1 || isWhole && !unique);
      const find = unique ? listings.only : listings.first;
      const path = isMeant ? await find.call(listings, folders, parts.slice(-length), key) : undefined;
      if (path === undefined || taken.has(path)) next.push(name);
      else found.set(name, { path });
    }
    left = next;
  }
  return left;
}

/** The last parts of a path, as far as the key tells them apart. */
function keyedEnding(parts: readonly string[], length: number, key: NameKey): string | undefined {
  const last = key(parts.at(-1) ?? "");
  return last === undefined ? undefined : [...parts.slice(-length, -1).map(decodedKey), last].join("/");
}

/** Caches folder listings. */
class Listings {
  readonly #names = new Map<string, Promise<{ files: Names; folders: Names }>>();

  /** The path of a file in or below the first folder that has it, spelled as on disk. */
  async first(folders: readonly string[], parts: readonly string[], key?: NameKey): Promise<string | undefined> {
    for (const folder of folders) {
      const path = await this.#find(folder, parts, key);
      if (path !== undefined) return path;
    }
    return undefined;
  }

  /** The path of the only such file in or below all folders. */
  async only(folders: readonly string[], parts: readonly string[], key: NameKey): Promise<string | undefined> {
    const paths = new Set<string>();
    for (const folder of folders) {
      const path = await this.#find(folder, parts, key);
      if (path !== undefined) paths.add(path);
    }
    const [path, second] = paths;
    return second === undefined ? path : undefined;
  }

  async #find(folder: string, parts: readonly string[], key: NameKey | undefined): Promise<string | undefined> {
    let path = folder;
    for (const part of parts.slice(0, -1)) {
      const inner = (await this.#list(path)).folders.get(part, key && decodedKey);
      if (inner === undefined) return undefined;
      path = join(path, inner);
    }
    const file = (await this.#list(path)).files.get(parts.at(-1) ?? "", key);
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

/** Names on disk, matched across Unicode normalization and, on request, by a key. */
class Names {
  readonly #names: readonly string[];
  readonly #exact: ReadonlySet<string>;
  readonly #byComposed: ReadonlyMap<string, string>;
  readonly #byKey = new Map<NameKey, ReadonlyMap<string | undefined, readonly string[]>>();

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#exact = new Set(names);
    this.#byComposed = new Map(names.map((name) => [name.normalize("NFC"), name]));
  }

  get(name: string, key: NameKey | undefined): string | undefined {
    const same = this.#exact.has(name) ? name : this.#byComposed.get(name.normalize("NFC"));
    if (same !== undefined || key === undefined) return same;
    const wanted = key(name);
    const byKey = this.#byKey.get(key) ?? Map.groupBy(this.#names, key);
    this.#byKey.set(key, byKey);
    const [only, second] = wanted === undefined ? [] : byKey.get(wanted) ?? [];
    return second === undefined ? only : undefined;
  }
}
