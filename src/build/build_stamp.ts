import { join } from "node:path";
import { sha256 } from "../files/sha256.ts";
import { namedLibtorch } from "./find_libtorch.ts";
import { type Libtorch, readLibtorch } from "./libtorch.ts";
import type { Machine } from "./machine.ts";

/**
 * Tells whether the library in `folder` was built from the current sources and environment, against a libtorch that has
 * not changed. Starts no program.
 */
export async function isUpToDate(root: string, folder: string, machine: Machine): Promise<boolean> {
  try {
    const stamp: Partial<Record<string, unknown>> = JSON.parse(await Deno.readTextFile(join(folder, "stamp.json")));
    const libtorch = await readLibtorch(String(stamp["libtorch"]));
    const { size } = await Deno.stat(join(folder, "liblrcn.so"));
    if (libtorch === undefined || stamp["size"] !== size) return false;
    return stamp["digest"] === await digestBuild(root, machine, libtorch);
  } catch {
    // No stamp, a damaged one, or no library.
    return false;
  }
}

/**
 * Records what the library in `folder` was built from.
 *
 * @param digest The value of {@linkcode digestBuild} before the build: sources may change while it runs.
 */
export async function writeStamp(folder: string, libtorch: Libtorch, digest: string): Promise<void> {
  const { size } = await Deno.stat(join(folder, "liblrcn.so"));
  const stamp = { digest, libtorch: libtorch.path, size };
  await Deno.writeTextFile(join(folder, "stamp.json"), JSON.stringify(stamp) + "\n");
}

/**
 * The SHA-256 of everything that determines a build: sources, environment, libtorch, and the project's folder (a moved
 * project has its own libtorch).
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
  return await sha256(JSON.stringify([sources, environment, named, libtorch.path, libtorch.identity]));
}
