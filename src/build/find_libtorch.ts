/**
 * Finds the libtorch to build against.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { InputError } from "../input_error.ts";
import { INSTALLED_VERSION, isSupported, type Libtorch, readLibtorch, SUPPORTED_VERSIONS } from "./libtorch.ts";
import type { Machine } from "./machine.ts";
import { findPython } from "./python.ts";

/**
 * Finds libtorch: the folder that `LIBTORCH` names, else the torch of the machine's Python where its version is
 * supported, else the one that an earlier build installed.
 *
 * @param root The project's folder
 * @param machine The machine
 * @param report Told of a torch that is passed over
 * @returns The libtorch, or undefined where one must be installed
 * @throws {InputError} Where `LIBTORCH` names a folder that holds no libtorch of a supported version
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
        ? `libtorch: passed over ${torch}: it has no headers or no libtorch_cpu.so`
        : `libtorch: passed over ${libtorch.version} in ${torch}: ${SUPPORTED_VERSIONS} are supported`,
    );
  }

  const installed = await readLibtorch(join(installFolder(root), "torch"));
  return installed !== undefined && isSupported(installed.version) ? installed : undefined;
}

/**
 * The folder that `LIBTORCH` names, seen from where the user stands.
 *
 * @param root The project's folder
 * @param machine The machine
 * @returns The folder, or undefined where `LIBTORCH` is unset or empty
 */
export function namedLibtorch(root: string, machine: Machine): string | undefined {
  const named = machine.env("LIBTORCH");
  return named ? resolve(machine.env("INIT_CWD") ?? root, named) : undefined;
}

/**
 * The folder that the build installs torch and its dependencies into.
 *
 * @param root The project's folder
 * @returns The folder, which need not exist
 */
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
