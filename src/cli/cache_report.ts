import { quoted } from "../printable.ts";
import { InputError } from "../input_error.ts";
import { describeBytes } from "../files/free_space.ts";
import {
  clearCache,
  type KeptCache,
  keptCaches,
  summarizeResized,
  verifyCache,
} from "../pipeline/cache/kept_caches.ts";

type Print = (line: string) => void;

/** Receives the lines and the progress of {@linkcode verifyCaches}. */
export interface VerifyReporter {
  readonly print: Print;
  readonly progress: (task: string, done: number, total: number) => void;
}

/** Unusable images named for each cache; all of one cache that is named. */
const MAX_NAMED = 20;
const PATH_CHARACTERS = 70;

/**
 * Lists the caches below `root`, or the one called `name`, with their sizes and unusable images.
 *
 * @throws {InputError} If no cache has that name, or one cannot be read.
 */
export async function listCaches(root: string, chosen: string | undefined, print: Print): Promise<void> {
  const caches = await cachesNamed(root, chosen, "list");
  if (caches.length === 0) return print(`No caches in '${root}'`);
  const width = Math.max(...caches.map(({ name }) => name.length));
  for (const cache of caches) {
    const { name, bytes, preprocessing } = cache;
    const summary = preprocessing?.current ? await summarizeResized(cache) : undefined;
    const bad = summary?.bad ?? [];
    const what = summary === undefined ? count(cache.files.length, "file") : count(summary.stored, "image");
    print([`${name.padEnd(width)}  ${what}`, describeBytes(bytes), ...details(cache, bad.length)].join(", "));
    const named = bad.slice(0, chosen === undefined ? MAX_NAMED : bad.length);
    for (const { path, reason } of named) {
      print(`  ${shortPath(path)}: ${quoted(reason).slice(1, -1)}`);
    }
    const more = bad.length - named.length;
    if (more > 0) print(`  and ${more} more; to list all: deno task cache list ${name}`);
  }
  print(`${describeBytes(caches.reduce((sum, { bytes }) => sum + bytes, 0))} in '${root}'`);
}

/**
 * Verifies the caches below `root`; skips one that another process is filling. Returns false if anything was wrong.
 *
 * @throws {InputError} If a cache cannot be read or repaired.
 */
export async function verifyCaches(root: string, reporter: VerifyReporter): Promise<boolean> {
  let wrongInAll = 0;
  for (const cache of await keptCaches(root)) {
    const { name } = cache;
    const verified = await verifyCache(cache, (done, total) => reporter.progress(`Verifying ${name}`, done, total));
    if (verified === undefined) continue;
    if (verified === "busy") {
      reporter.print(`${name}: not verified: another process is filling it`);
      continue;
    }
    const { right, wrong } = verified;
    const what = name.startsWith("images/") ? "image" : "file";
    const remedy = name === "weights" ? "downloaded again when needed" : "removed, and computed again when needed";
    reporter.print(`${name}: ${count(right, what)} intact${wrong === 0 ? "" : `, ${wrong} damaged: ${remedy}`}`);
    wrongInAll += wrong;
  }
  return wrongInAll === 0;
}

/**
 * Removes the cache called `name`, by default all caches except downloaded weights.
 *
 * @throws {InputError} If no cache has that name, or another process uses one.
 */
export async function clearCaches(root: string, name: string | undefined, print: Print): Promise<void> {
  const caches = await keptCaches(root);
  const chosen = name === undefined
    ? caches.filter((cache) => cache.name !== "weights")
    : await cachesNamed(root, name, "clear");
  for (const cache of chosen) {
    await clearCache(cache);
    print(`Removed ${cache.name}: ${describeBytes(cache.bytes)}`);
  }
  if (chosen.length === 0) print(`Nothing to remove in '${root}'`);
  if (name === undefined && caches.some((cache) => cache.name === "weights")) {
    print("Kept weights, which were downloaded; to remove them: deno task cache clear weights");
  }
}

/** All caches, or the one with that name. */
async function cachesNamed(root: string, name: string | undefined, action: string): Promise<KeptCache[]> {
  const caches = await keptCaches(root);
  const chosen = caches.filter((cache) => name === undefined || cache.name === name);
  if (name === undefined || chosen.length > 0) return chosen;
  const names = caches.map((cache) => cache.name).join(", ");
  throw new InputError(
    `Cannot ${action} ${quoted(name)}: there is no such cache in '${root}'; there are: ${
      names === "" ? "none" : names
    }`,
  );
}

function details({ preprocessing }: KeptCache, bad: number): string[] {
  if (preprocessing === undefined) return [];
  const { side, resize, applyExif, colorManagement, alpha, shrinkOnLoad, current } = preprocessing;
  return [
    `${side} x ${side} pixels`,
    ...(resize === "stretch" ? ["stretched"] : []),
    ...(applyExif ? [] : ["EXIF orientation ignored"]),
    ...(colorManagement ? [] : ["color profiles ignored"]),
    ...(alpha === "white" ? [] : ["transparency dropped"]),
    ...(shrinkOnLoad ? [] : ["decoded whole"]),
    ...(current ? [] : ["of another version and unused: clear it"]),
    ...(bad === 0 ? [] : [`${count(bad, "file")} cannot be used:`]),
  ];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

// The end of a path says more than its beginning.
function shortPath(path: string): string {
  return quoted(path.length > PATH_CHARACTERS ? `...${path.slice(-PATH_CHARACTERS)}` : path);
}
