import { InputError } from "../input_error.ts";
import type { Machine } from "./machine.ts";

/** The oldest g++ that compiles the library. */
const OLDEST_GCC = 12;
/** The oldest clang++ that compiles the library. */
const OLDEST_CLANG = 16;

export interface Compiler {
  /** CMake's `CXX`: a program, possibly behind another such as ccache. */
  readonly command: string;
  /** Name and version, such as "g++ 12.2.0". */
  readonly description: string;
}

/**
 * Finds a C++20 compiler: the one named by `CXX`, else the first of `c++`, `g++`, and `g++-16` down to `g++-12` that is
 * new enough.
 *
 * @throws {InputError} If there is none, or none is new enough.
 */
export async function findCompiler(machine: Machine): Promise<Compiler> {
  const remedy =
    `install g++ ${OLDEST_GCC} or newer (Debian, Ubuntu: apt install g++-${OLDEST_GCC}), or name one in CXX`;
  const named = machine.env("CXX")?.trim();
  const commands = named ? [named] : ["c++", "g++", "g++-16", "g++-15", "g++-14", "g++-13", "g++-12"];
  let tooOld: string | undefined;
  for (const command of commands) {
    const [program = "", ...args] = command.split(/\s+/);
    const result = await machine.run(program, [...args, "--version"], { env: { LC_ALL: "C" } });
    if (result?.code !== 0) continue;
    const clang = /clang/.test(result.output);
    const version = result.output.match(clang ? /version (\d+[\d.]*)/ : /(\d+\.\d+\.\d+)/)?.[1];
    if (version === undefined) continue;
    const description = `${command} ${version}`;
    if (parseInt(version) >= (clang ? OLDEST_CLANG : OLDEST_GCC)) return { command, description };
    tooOld ??= description;
  }
  if (tooOld !== undefined) throw new InputError(`Cannot compile the native library: ${tooOld} is too old; ${remedy}`);
  throw new InputError(
    named
      ? `Cannot compile the native library: CXX="${named}" is not a C++ compiler; ${remedy}`
      : `Cannot compile the native library: no C++ compiler is installed; ${remedy}`,
  );
}
