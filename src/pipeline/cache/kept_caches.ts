import { join } from "node:path";
import { fileDigest } from "../../files/file_digest.ts";
import { isDatabaseDamaged } from "../../files/database.ts";
import { fileErrorReason } from "../../files/file_error.ts";
import { parsePreprocessing, type Preprocessing } from "../../images/preprocessing.ts";
import { InputError } from "../../input_error.ts";
import { LOCK_NAMES, lockCacheAlone, tryLockFilling } from "./cache_lock.ts";
import { type ImageStore, openImageStore, removeImageStore, resizedBytes, type UnusableFile } from "./image_store.ts";

/** A cache of any kind. */
export interface KeptCache {
  /** Its name on the command line: `images/256-v5`, `features`, `weights`. */
  readonly name: string;
  readonly folder: string;
  readonly files: readonly string[];
  /** Total size of these files. */
  readonly bytes: number;
  /** For caches of resized images. */
  readonly preprocessing?: Preprocessing & { readonly current: boolean };
}

/** The contents of a cache of resized images, according to its database. */
export interface ResizedSummary {
  /** Number of stored images. */
  readonly stored: number;
  /** Files with unusable images. */
  readonly bad: readonly UnusableFile[];
}

export interface Verified {
  /** Number of intact images or files. */
  readonly right: number;
  /** Number of damaged ones. */
  readonly wrong: number;
}

/** Called after each image or file. */
export type OnVerified = (done: number, total: number) => void;

const DIGEST_IN_NAME = /-([0-9a-f]{8,64})\.\w+$/;

/**
 * Lists the caches that have a file, in order of their names.
 *
 * @param root The folder of all caches, `.cache`; a missing one has none.
 * @throws {InputError} If a folder cannot be read.
 */
export async function keptCaches(root: string): Promise<KeptCache[]> {
  const [images, features, weights] = ["images", "features", "weights"].map((name) => join(root, name));
  if (images === undefined || features === undefined || weights === undefined) return [];
  const found: KeptCache[] = [];
  for (const name of (await namesIn(images)).folders) {
    const preprocessing = parsePreprocessing(name);
    if (preprocessing === undefined) continue;
    const folder = join(images, name);
    found.push({ name: `images/${name}`, ...await sized(folder, (await namesIn(folder)).files), preprocessing });
  }
  found.push({ name: "features", ...await sized(features, (await namesIn(features)).files) });
  // Downloads that were killed leave temporaries.
  const weightFiles = (await namesIn(weights)).files.filter((name) => !name.startsWith(".") || name.endsWith(".tmp"));
  found.push({ name: "weights", ...await sized(weights, weightFiles) });
  return found.filter((cache) => cache.files.length > 0);
}

/**
 * Summarizes a cache of resized images.
 *
 * @throws {InputError} If it cannot be read.
 */
export async function summarizeResized({ folder }: KeptCache): Promise<ResizedSummary> {
  using opened = await openImageStore(folder);
  return { stored: opened.store?.stored().length ?? 0, bad: opened.store?.unusableFiles() ?? [] };
}

/**
 * Verifies the checksums of resized images, and downloaded weights against the digests in their names. Damaged images are
 * removed, and decoded again when needed; a damaged database is removed whole, and counts as one. Weights stay: they may be
 * the user's own, and a damaged download is fetched again when needed.
 *
 * @returns The counts; `busy` if another process fills the cache; undefined for kinds without checksums.
 * @throws {InputError} If it cannot be read or repaired.
 */
export async function verifyCache(
  cache: KeptCache,
  onProgress: OnVerified = () => {},
): Promise<Verified | "busy" | undefined> {
  if (cache.name === "weights") return await verifyWeights(cache, onProgress);
  if (cache.preprocessing === undefined || !cache.preprocessing.current) return undefined;
  const { folder, preprocessing: { side } } = cache;
  try {
    using opened = await openImageStore(folder);
    using lock = await tryLockFilling(folder);
    if (lock === undefined) return "busy";
    return verifyImages(opened.store, side, onProgress);
  } catch (error) {
    if (!isDatabaseDamaged(error)) throw error;
    await removeImageStore(folder);
    return { right: 0, wrong: 1 };
  }
}

function verifyImages(store: ImageStore | undefined, side: number, onProgress: OnVerified): Verified {
  const images = store?.stored() ?? [];
  const wrong: string[] = [];
  for (const [index, image] of images.entries()) {
    try {
      if (store?.pixels(image)?.length !== resizedBytes(side)) wrong.push(image);
    } catch (error) {
      if (!(error instanceof InputError) || isDatabaseDamaged(error)) throw error;
      wrong.push(image);
    }
    onProgress(index + 1, images.length);
  }
  store?.dropPixels(wrong);
  return { right: images.length - wrong.length, wrong: wrong.length };
}

/**
 * Removes a cache's files.
 *
 * @throws {InputError} If another process uses it, or a file cannot be removed.
 */
export async function clearCache({ folder, files, name }: KeptCache): Promise<void> {
  using lock = name === "weights" ? undefined : await lockCacheAlone(folder);
  if (lock === undefined && name !== "weights") {
    throw new InputError(`Cannot clear the cache '${name}': another process uses it now; wait for its end or stop it`);
  }
  for (const file of files) await removeFile(join(folder, file));
  if (name === "weights") return;
  // The locks come last; a process that waits for them sees that they are gone and starts over.
  for (const file of LOCK_NAMES) await removeFile(join(folder, file));
  // A folder with other files stays.
  await Deno.remove(folder).catch(() => {});
}

async function verifyWeights({ folder, files }: KeptCache, onProgress: OnVerified): Promise<Verified | undefined> {
  let wrong = 0;
  const named = files.flatMap((name) => {
    const digest = DIGEST_IN_NAME.exec(name)?.[1];
    return digest === undefined ? [] : [{ path: join(folder, name), digest }];
  });
  for (const [index, { path, digest }] of named.entries()) {
    if (!(await fileDigest(path)).startsWith(digest)) wrong++;
    onProgress(index + 1, named.length);
  }
  return named.length === 0 ? undefined : { right: named.length - wrong, wrong };
}

async function removeFile(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot remove '${path}': ${fileErrorReason(error)}`, { cause: error });
  }
}

async function sized(folder: string, files: readonly string[]): Promise<Pick<KeptCache, "folder" | "files" | "bytes">> {
  let bytes = 0;
  for (const name of files) bytes += (await Deno.stat(join(folder, name)).catch(() => undefined))?.size ?? 0;
  return { folder, files, bytes };
}

async function namesIn(folder: string): Promise<{ files: string[]; folders: string[] }> {
  const [files, folders]: [string[], string[]] = [[], []];
  try {
    for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
      if (isFile && !LOCK_NAMES.includes(name)) files.push(name);
      if (isDirectory) folders.push(name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new InputError(`Cannot read '${folder}': ${fileErrorReason(error)}`, { cause: error });
    }
  }
  return { files: files.sort(), folders: folders.sort() };
}
