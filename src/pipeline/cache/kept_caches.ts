import { join } from "node:path";
import { fileDigest } from "../../files/file_digest.ts";
import { fileErrorReason } from "../../files/file_error.ts";
import { removeOldTemporaries } from "../../files/old_temporaries.ts";
import { InputError } from "../../input_error.ts";
import { type BadImage, readCacheIndex, type StoredImage } from "./cache_index.ts";
import { LOCK_NAME, tryLockCache } from "./cache_lock.ts";
import { openCacheFile, openCacheWriter } from "./cache_writer.ts";
import { parsePreprocessing, type Preprocessing } from "../../images/preprocessing.ts";
import { openResizedFileIfThere } from "./resized_file.ts";

/** A cache of any kind. */
export interface KeptCache {
  /** Its name on the command line: `images/256-v4`, `features`, `weights`. */
  readonly name: string;
  readonly folder: string;
  readonly files: readonly string[];
  /** Total size of these files. */
  readonly bytes: number;
  /** For caches of resized images. */
  readonly preprocessing?: Preprocessing & { readonly current: boolean };
}

/** The contents of a cache of resized images, according to its index. */
export interface ResizedSummary {
  /** Number of stored images. */
  readonly stored: number;
  /** Files with unusable images. */
  readonly bad: readonly BadImage[];
}

export interface Verified {
  /** Number of intact images or files. */
  readonly right: number;
  /** Number of damaged ones. */
  readonly wrong: number;
}

/** Called after each image or file. */
export type OnVerified = (done: number, total: number) => void;

const FEATURES_MARK = "lrcnfea1";
const DIGEST_IN_NAME = /-([0-9a-f]{8,64})\.\w+$/;

/**
 * Lists the caches that have a file, in order of their names, and removes old temporaries on the way.
 *
 * @param root The folder of all caches, `.cache`; a missing one has none.
 * @throws {InputError} If a folder cannot be read.
 */
export async function keptCaches(root: string): Promise<KeptCache[]> {
  const [images, features, weights] = ["images", "features", "weights"].map((name) => join(root, name));
  if (images === undefined || features === undefined || weights === undefined) return [];
  for (const folder of [images, features]) await removeOldTemporaries(folder);
  const found: KeptCache[] = [];
  for (const name of (await namesIn(images)).folders) {
    const preprocessing = parsePreprocessing(name);
    if (preprocessing === undefined) continue;
    const folder = join(images, name);
    found.push({ name: `images/${name}`, ...await sized(folder, (await namesIn(folder)).files), preprocessing });
  }
  const featureFiles = (await namesIn(features)).files.filter((name) => name.endsWith(".features"));
  found.push({ name: "features", ...await sized(features, featureFiles) });
  const weightFiles = (await namesIn(weights)).files.filter((name) => !name.startsWith("."));
  found.push({ name: "weights", ...await sized(weights, weightFiles) });
  return found.filter((cache) => cache.files.length > 0);
}

/**
 * Summarizes a cache of resized images.
 *
 * @throws {InputError} If it cannot be read.
 */
export async function summarizeResized({ folder, preprocessing }: KeptCache): Promise<ResizedSummary> {
  const index = await readCacheIndex(folder);
  using resized = await openResizedFileIfThere(folder, preprocessing?.side ?? 0);
  const stored = [...index.images].filter((image) => resized?.reaches(image)).length;
  return { stored, bad: index.badFiles };
}

/**
 * Verifies the checksums of resized images, the completeness of feature files, and downloaded weights against the
 * digests in their names. Damaged images and features are dropped, and computed again when needed. Weights stay: they
 * may be the user's own, and a damaged download is fetched again when needed.
 *
 * @returns The counts; `busy` if another process fills the cache; undefined for kinds without checksums.
 * @throws {InputError} If it cannot be read or repaired.
 */
export async function verifyCache(
  cache: KeptCache,
  onProgress: OnVerified = () => {},
): Promise<Verified | "busy" | undefined> {
  if (cache.name === "features") return await verifyFeatures(cache, onProgress);
  if (cache.name === "weights") return await verifyWeights(cache, onProgress);
  if (cache.preprocessing === undefined || !cache.preprocessing.current) return undefined;
  const { folder, preprocessing: { side } } = cache;
  using lock = await tryLockCache(folder);
  if (lock === undefined) return "busy";
  const index = await readCacheIndex(folder);
  using resized = await openResizedFileIfThere(folder, side);
  const images = [...index.images].filter(({ slot }) => slot !== undefined);
  const wrong: StoredImage[] = [];
  let done = 0;
  for (const image of images) {
    if (!resized?.reaches(image) || await resized.read(image) === undefined) wrong.push(image);
    onProgress(++done, images.length);
  }
  if (wrong.length > 0) {
    const writer = await openCacheWriter({ folder, side, index, resized, open: openCacheFile });
    using _closing = { [Symbol.dispose]: () => writer.close() };
    for (const image of wrong) await writer.addImage(image);
    await writer.flush();
  }
  return { right: images.length - wrong.length, wrong: wrong.length };
}

/**
 * Removes a cache's files. Runs that read them are not disturbed.
 *
 * @throws {InputError} If another process fills it, or a file cannot be removed.
 */
export async function clearCache(cache: KeptCache): Promise<void> {
  const { folder, files, preprocessing } = cache;
  using _lock = preprocessing === undefined ? undefined : await lockOrRefuse(cache);
  for (const name of files) if (name !== LOCK_NAME) await removeFile(join(folder, name));
  if (preprocessing === undefined) return;
  // The lock comes last; a process that waits for it sees that it is gone and starts over.
  await removeFile(join(folder, LOCK_NAME));
  // A folder with other files stays.
  await Deno.remove(folder).catch(() => {});
}

async function verifyFeatures({ folder, files }: KeptCache, onProgress: OnVerified): Promise<Verified> {
  let wrong = 0;
  for (const [index, name] of files.entries()) {
    const path = join(folder, name);
    if (!await endsWith(path, FEATURES_MARK)) {
      wrong++;
      await removeFile(path);
    }
    onProgress(index + 1, files.length);
  }
  return { right: files.length - wrong, wrong };
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

async function endsWith(path: string, mark: string): Promise<boolean> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  // The mark follows numbers of four bytes.
  if (size <= mark.length || (size - mark.length) % 4 !== 0) return false;
  await file.seek(size - mark.length, Deno.SeekMode.Start);
  const end = new Uint8Array(mark.length);
  await file.read(end);
  return new TextDecoder().decode(end) === mark;
}

async function lockOrRefuse({ folder, name }: KeptCache): Promise<Disposable> {
  const lock = await tryLockCache(folder);
  if (lock !== undefined) return lock;
  throw new InputError(`Cannot clear the cache '${name}': another process fills it now; wait for its end or stop it`);
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
      if (isFile) files.push(name);
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
