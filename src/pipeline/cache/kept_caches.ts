/**
 * What a cache folder holds: listing, verifying and clearing it.
 *
 * @module
 */

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
  /** What it is called on the command line: `images/256-exif-v3`, `features`, `weights`. */
  readonly name: string;
  /** Its folder. */
  readonly folder: string;
  /** The files that it has there, by name. */
  readonly files: readonly string[];
  /** Bytes of these files. */
  readonly bytes: number;
  /** Of squares: how they are made. */
  readonly preprocessing?: Preprocessing & { readonly current: boolean };
}

/** A cache of squares, as far as its index says. */
export interface ResizedSummary {
  /** Images whose squares are stored. */
  readonly stored: number;
  /** Files whose images cannot be used. */
  readonly bad: readonly BadImage[];
}

/** What {@linkcode verifyCache} found. */
export interface Verified {
  /** ResizedFile or files that are right. */
  readonly right: number;
  /** Those that were not. */
  readonly wrong: number;
}

/** Called after each square or file. */
export type OnVerified = (done: number, total: number) => void;

const FEATURES_MARK = "lrcnfea1";
const DIGEST_IN_NAME = /-([0-9a-f]{8,64})\.\w+$/;

/**
 * Finds the caches in a folder; removes temporaries of former days on its way.
 *
 * @param root The folder of all caches, `.cache`; one that is not there has none.
 * @returns Those that have a file, in the order of their names.
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
 * Reads what a cache of squares holds.
 *
 * @param cache A cache with `preprocessing`.
 * @throws {InputError} If it cannot be read.
 */
export async function summarizeResized({ folder, preprocessing }: KeptCache): Promise<ResizedSummary> {
  const index = await readCacheIndex(folder);
  using resized = await openResizedFileIfThere(folder, preprocessing?.side ?? 0);
  const stored = [...index.images].filter((image) => resized?.reaches(image)).length;
  return { stored, bad: index.badFiles };
}

/**
 * Recomputes the checksums of squares, looks whether files of features are whole, and holds downloaded weights against the
 * digests in their names. ResizedFile and features that are wrong are dropped, and made anew when they are needed; weights stay:
 * they may be the user's own, and a download that is damaged is fetched anew when it is needed.
 *
 * @param cache The cache.
 * @param onProgress See {@linkcode OnVerified}.
 * @returns What was found; `busy` where another process fills it; nothing for kinds that have no checksums.
 * @throws {InputError} If it cannot be read or mended.
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
 * Removes a cache's files. Runs that read them go on.
 *
 * @param cache The cache.
 * @throws {InputError} If another process fills it, or a file cannot be removed.
 */
export async function clearCache(cache: KeptCache): Promise<void> {
  const { folder, files, preprocessing } = cache;
  using _lock = preprocessing === undefined ? undefined : await lockOrRefuse(cache);
  for (const name of files) if (name !== LOCK_NAME) await removeFile(join(folder, name));
  if (preprocessing === undefined) return;
  // The lock comes last; who waits for it sees that it is gone and begins anew.
  await removeFile(join(folder, LOCK_NAME));
  // One with other files in it stays.
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
  const promised = files.flatMap((name) => {
    const digest = DIGEST_IN_NAME.exec(name)?.[1];
    return digest === undefined ? [] : [{ path: join(folder, name), digest }];
  });
  for (const [index, { path, digest }] of promised.entries()) {
    if (!(await fileDigest(path)).startsWith(digest)) wrong++;
    onProgress(index + 1, promised.length);
  }
  return promised.length === 0 ? undefined : { right: promised.length - wrong, wrong };
}

async function endsWith(path: string, mark: string): Promise<boolean> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  // Numbers of four bytes come before the mark.
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
