import { join } from "node:path";
import { exists } from "./libtorch.ts";
import type { Machine } from "./machine.ts";
import { pipInstall } from "./pip_install.ts";

/** CMake with its build program. */
export interface Cmake {
  readonly program: string;
  /** The arguments that select the build program. */
  readonly generator: readonly string[];
}

export interface FindCmakeOptions {
  /** Receives each line of progress. */
  readonly report: (line: string) => void;
  /**
   * Report all output of pip.
   *
   * @default {false}
   */
  readonly verbose?: boolean;
}

/**
 * Finds CMake 3.18 or newer with ninja or make; otherwise installs both with pip into `native/.cmake/`.
 *
 * @throws {InputError} If Python or pip is missing, or pip fails.
 */
export async function findCmake(root: string, machine: Machine, options: FindCmakeOptions): Promise<Cmake> {
  const version = (await machine.run("cmake", ["--version"]))?.output.match(/version (\d+)\.(\d+)/);
  if (version && (Number(version[1]) > 3 || (Number(version[1]) === 3 && Number(version[2]) >= 18))) {
    if ((await machine.run("ninja", ["--version"]))?.code === 0) {
      return { program: "cmake", generator: ["-G", "Ninja"] };
    }
    const make = await machine.run("make", ["--version"]);
    if (make?.code === 0) return { program: "cmake", generator: ["-G", "Unix Makefiles"] };
  }

  const folder = join(root, "native", ".cmake");
  const program = join(folder, "cmake", "data", "bin", "cmake");
  const ninja = join(folder, "bin", "ninja");
  if (!await exists(program) || !await exists(ninja)) {
    await pipInstall(folder, machine, {
      ...options,
      what: "cmake",
      packages: ["cmake", "ninja"],
      announcement: "cmake: installing cmake and ninja into native/.cmake, about 30 MB to download",
      otherwise: "install cmake 3.18 or newer and make (Debian, Ubuntu: apt install cmake make)",
      log: join(root, "native", "build", "pip-cmake.log"),
    });
  }
  return { program, generator: ["-G", "Ninja", `-DCMAKE_MAKE_PROGRAM=${ninja}`] };
}
