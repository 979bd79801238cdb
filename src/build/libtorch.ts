/**
 * What a folder must hold to be a libtorch that lrcn can be built against.
 *
 * @module
 */

import { join } from "node:path";

/** The version that the build installs where it finds none. */
export const INSTALLED_VERSION = "2.13.0";

/** The versions that the native library compiles against, in words. */
export const SUPPORTED_VERSIONS = "2.11 to 2.13";

/** A libtorch on disk. */
export interface Libtorch {
  /** The folder that holds include/ and lib/. */
  readonly path: string;
  /** Its version with the build's variant, such as "2.13.0+cpu"; "unknown" where no file tells. */
  readonly version: string;
  /** The text of the file that tells the version: it changes whenever another build takes the folder's place. */
  readonly identity: string;
}

/**
 * Reads which libtorch a folder holds: an unpacked libtorch (`build-version`) or Python's torch folder (`version.py`).
 *
 * @param path The folder with include/ and lib/
 * @returns The libtorch, or undefined where headers or libraries are missing
 */
export async function readLibtorch(path: string): Promise<Libtorch | undefined> {
  const [headers, library, python, plain] = await Promise.all([
    exists(join(path, "include", "ATen", "ATen.h")),
    exists(join(path, "lib", "libtorch_cpu.so")),
    readText(join(path, "version.py")),
    readText(join(path, "build-version")),
  ]);
  if (!headers || !library) return undefined;
  const version = python?.match(/^__version__\s*=\s*['"]([^'"]+)['"]/m)?.[1] ?? plain?.trim();
  return { path, version: version || "unknown", identity: python ?? plain ?? "" };
}

/**
 * Whether the native library compiles against a version.
 *
 * @param version A version such as "2.13.0+cpu"
 * @returns Whether it is one of {@linkcode SUPPORTED_VERSIONS}
 */
export function isSupported(version: string): boolean {
  const [, major, minor] = version.match(/^(\d+)\.(\d+)\b/) ?? [];
  return major === "2" && Number(minor) >= 11 && Number(minor) <= 13;
}

/**
 * Whether a file or folder exists and can be seen.
 *
 * @param path The file or folder
 * @returns Whether it is there
 */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return undefined;
  }
}
