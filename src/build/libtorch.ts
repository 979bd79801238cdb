import { join } from "node:path";

/** The version installed by the build if it finds none. */
export const INSTALLED_VERSION = "2.13.0";

/** The versions supported by the native library, for messages. */
export const SUPPORTED_VERSIONS = "2.11 to 2.13";

/** A libtorch on disk. */
export interface Libtorch {
  /** The folder that contains include/ and lib/. */
  readonly path: string;
  /** Version with build variant, such as "2.13.0+cpu"; "unknown" if no file contains it. */
  readonly version: string;
  /** The text of the version file: it changes whenever another build replaces the folder's content. */
  readonly identity: string;
}

/**
 * Reads the libtorch in a folder: an unpacked libtorch (`build-version`) or Python's torch folder (`version.py`).
 * Undefined if headers or libraries are missing.
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

/** Tells whether a version such as "2.13.0+cpu" is one of {@linkcode SUPPORTED_VERSIONS}. */
export function isSupported(version: string): boolean {
  const [, major, minor] = version.match(/^(\d+)\.(\d+)\b/) ?? [];
  return major === "2" && Number(minor) >= 11 && Number(minor) <= 13;
}

/** Tells whether a file or folder exists and can be seen. */
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
