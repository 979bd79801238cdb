/**
 * Knows whether the library is up to date, from a note beside it.
 *
 * @module
 */

import { join } from "node:path";
import { namedLibtorch } from "./find_libtorch.ts";
import { type Libtorch, readLibtorch } from "./libtorch.ts";
import type { Machine } from "./machine.ts";

/**
 * Whether the library in a folder was built from the present sources, in the present environment, against a libtorch
 * that is still there unchanged. Starts no program.
 *
 * @param root The project's folder
 * @param folder The folder of `liblrcn.so` and its stamp, such as native/build
 * @param machine The machine
 * @returns Whether there is nothing to build
 */
export async function isUpToDate(root: string, folder: string, machine: Machine): Promise<boolean> {
  try {
    const stamp: Partial<Record<string, unknown>> = JSON.parse(await Deno.readTextFile(join(folder, "stamp.json")));
    const libtorch = await readLibtorch(String(stamp["libtorch"]));
    const { size } = await Deno.stat(join(folder, "liblrcn.so"));
    if (libtorch === undefined || stamp["size"] !== size) return false;
    return stamp["digest"] === await digestBuild(root, machine, libtorch);
  } catch {
    // No stamp, a broken one, or no library.
    return false;
  }
}

/**
 * Notes what the library in a folder was built from.
 *
 * @param folder The folder of `liblrcn.so`
 * @param libtorch The libtorch that it is linked to
 * @param digest What {@linkcode digestBuild} gave before the build began: sources may change while it runs
 */
export async function writeStamp(folder: string, libtorch: Libtorch, digest: string): Promise<void> {
  const { size } = await Deno.stat(join(folder, "liblrcn.so"));
  const stamp = { digest, libtorch: libtorch.path, size };
  await Deno.writeTextFile(join(folder, "stamp.json"), JSON.stringify(stamp) + "\n");
}

/**
 * Digests all that decides what a build gives: sources, the environment, libtorch, and the folder (a moved project has
 * its own libtorch).
 *
 * @param root The project's folder
 * @param machine The machine
 * @param libtorch The libtorch to link
 * @returns SHA-256 in hexadecimal
 */
export async function digestBuild(root: string, machine: Machine, libtorch: Libtorch): Promise<string> {
  const native = join(root, "native");
  const paths = [join(native, "CMakeLists.txt")];
  for (const name of ["include", "src"]) {
    for await (const entry of Deno.readDir(join(native, name))) {
      if (entry.isFile) paths.push(join(native, name, entry.name));
    }
  }
  const sources = await Promise.all(paths.sort().map(async (path) => [path, await Deno.readTextFile(path)]));
  const environment = ["CXX", "CXXFLAGS", "LDFLAGS"].map((name) => machine.env(name) ?? "");
  const named = namedLibtorch(root, machine) ?? "";
  const all = JSON.stringify([sources, environment, named, libtorch.path, libtorch.identity]);
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(all));
  return new Uint8Array(hash).toHex();
}
