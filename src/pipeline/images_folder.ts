/**
 * Finding the folder that a dataset keeps its images in.
 *
 * @module
 */

import { basename, dirname, isAbsolute, join, normalize } from "node:path";
import { InputError } from "../input_error.ts";
import { isFolder, listFolder } from "./folder.ts";

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
 * Whether a folder is called as folders of images are in the Flickr datasets.
 *
 * @param name The folder's name.
 */
export function isImagesFolderName(name: string): boolean {
  return /^(?:images|flicke?r8k_dataset|flickr30k_images)$/i.test(name);
}

/**
 * Finds images by name in the first folder that has any of them.
 *
 * @param names Names from a captions file, with `/` where images lie in folders of their own.
 * @param options Where to look.
 * @returns The path of each image that is there.
 * @throws {InputError} If none is there, a name leads out of the folder, or a folder cannot be read.
 */
export async function findImages(
  names: readonly string[],
  options: FindImagesOptions,
): Promise<ReadonlyMap<string, string>> {
  for (const name of names) {
    if (isAbsolute(name) || normalize(name).split(/[/\\]/).includes("..")) {
      throw new InputError(
        `Cannot read dataset: image name "${name}" in ${options.captions} leads out of the images folder; correct it`,
      );
    }
  }
  const folders = options.images === undefined ? await candidates(options.roots) : [options.images];
  for (const folder of folders) {
    const paths = await presentIn(folder, names);
    if (paths.size > 0) return paths;
  }
  throw new InputError(
    `Cannot read dataset: none of the ${names.length} images of ${options.captions} is in ${folders[0]}, ` +
      `for example "${names[0]}"; name their folder with --images`,
  );
}

/** Folders named for images, those inside them (archives like to nest), then the roots themselves. */
async function candidates(roots: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const root of roots) {
    for (const name of (await listFolder(root, "dataset")).folders.filter(isImagesFolderName)) {
      const folder = join(root, name);
      found.add(folder);
      const inner = (await listFolder(folder, "images")).folders.filter(isImagesFolderName);
      for (const innerName of inner) found.add(join(folder, innerName));
    }
  }
  for (const root of roots) found.add(root);
  return [...found];
}

async function presentIn(folder: string, names: readonly string[]): Promise<Map<string, string>> {
  const files = new Map([[".", new Set((await listFolder(folder, "images")).files)]]);
  const paths = new Map<string, string>();
  for (const name of names) {
    const inner = dirname(normalize(name));
    let present = files.get(inner);
    if (present === undefined) {
      const path = join(folder, inner);
      present = new Set(await isFolder(path) ? (await listFolder(path, "images")).files : []);
      files.set(inner, present);
    }
    if (present.has(basename(name))) paths.set(name, join(folder, name));
  }
  return paths;
}
