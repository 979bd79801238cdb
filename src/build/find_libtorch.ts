import { join, resolve } from "node:path";
import { InputError } from "../input_error.ts";
import { INSTALLED_VERSION, isSupported, type Libtorch, readLibtorch, SUPPORTED_VERSIONS } from "./libtorch.ts";
import type { Machine } from "./machine.ts";
import { findPython } from "./python.ts";

/**
 * Finds libtorch: the folder named by `LIBTORCH`, else the torch of the machine's Python if its version is supported,
 * else the one installed by an earlier build. Undefined if it must be installed.
 *
 * @param report Receives a line about a torch that is skipped.
 * @throws {InputError} If `LIBTORCH` names a folder without a libtorch of a supported version.
 */
export async function findLibtorch(
  root: string,
  machine: Machine,
  report: (line: string) => void,
): Promise<Libtorch | undefined> {
  const named = namedLibtorch(root, machine);
  if (named !== undefined) return await readNamed(named);

  const torch = (await findPython(machine))?.torch;
  if (torch !== undefined) {
    const libtorch = await readLibtorch(torch);
    if (libtorch !== undefined && isSupported(libtorch.version)) return libtorch;
    report(
      libtorch === undefined
        ? `libtorch: skipped ${torch}: it has no headers or no libtorch_cpu.so`
        : `libtorch: skipped ${libtorch.version} in ${torch}: ${SUPPORTED_VERSIONS} are supported`,
    );
  }

  const installed = await readLibtorch(join(installFolder(root), "torch"));
  return installed !== undefined && isSupported(installed.version) ? installed : undefined;
}

/** The folder named by `LIBTORCH`, relative to the user's working folder; undefined if `LIBTORCH` is unset or empty. */
export function namedLibtorch(root: string, machine: Machine): string | undefined {
  const named = machine.env("LIBTORCH");
  return named ? resolve(machine.env("INIT_CWD") ?? root, named) : undefined;
}

/** The folder that torch and its dependencies are installed into. It may not exist. */
export function installFolder(root: string): string {
  return join(root, "native", ".libtorch");
}

async function readNamed(named: string): Promise<Libtorch> {
  const libtorch = await readLibtorch(named);
  if (libtorch === undefined) {
    throw new InputError(
      `Cannot use LIBTORCH="${named}": the folder has no include/ATen/ATen.h or no lib/libtorch_cpu.so; name an ` +
        `unpacked libtorch or Python's torch folder, or unset LIBTORCH to have ${INSTALLED_VERSION} installed`,
    );
  }
  if (!isSupported(libtorch.version)) {
    throw new InputError(
      `Cannot use LIBTORCH="${named}": its version is ${libtorch.version}, and ${SUPPORTED_VERSIONS} are supported; ` +
        `name one of those, or unset LIBTORCH to have ${INSTALLED_VERSION} installed`,
    );
  }
  return libtorch;
}
