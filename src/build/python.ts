import { InputError } from "../input_error.ts";
import type { Machine } from "./machine.ts";

export interface Python {
  readonly program: string;
  /** Version, such as "3.11.7". */
  readonly version: string;
  /** The folder of its torch; undefined if torch cannot be found. */
  readonly torch: string | undefined;
}

// Finds the package without importing it: an import takes seconds and can fail for reasons that do not matter here.
const QUESTION = `
import importlib.util, sys
try:
    spec = importlib.util.find_spec("torch")
except Exception:
    spec = None
print(sys.version.split()[0])
print((list(spec.submodule_search_locations or []) + [""])[0] if spec else "")
`;

/** Finds `python3`, else `python`; undefined if there is no Python 3. */
export async function findPython(machine: Machine): Promise<Python | undefined> {
  for (const program of ["python3", "python"]) {
    const result = await machine.run(program, ["-c", QUESTION]);
    if (result?.code !== 0) continue;
    const [version = "", torch = ""] = result.output.split("\n").map((line) => line.trim());
    if (version.startsWith("3.")) return { program, version, torch: torch === "" ? undefined : torch };
  }
  return undefined;
}

/**
 * Finds the Python whose pip installs something.
 *
 * @param what The product's name, for messages.
 * @param otherwise The user's alternative to installing Python, for messages.
 * @throws {InputError} If there is no Python, it is too old for torch, or it has no pip.
 */
export async function findPythonWithPip(what: string, machine: Machine, otherwise: string): Promise<Python> {
  const python = await findPython(machine);
  if (python === undefined) {
    throw new InputError(
      `Cannot install ${what}: python3 is missing; install Python 3.10 or newer with pip ` +
        `(Debian, Ubuntu: apt install python3 python3-pip), or ${otherwise}`,
    );
  }
  if (Number(python.version.split(".")[1]) < 10) {
    throw new InputError(
      `Cannot install ${what}: ${python.program} is ${python.version}; install Python 3.10 or newer with pip, ` +
        `or ${otherwise}`,
    );
  }
  if ((await machine.run(python.program, ["-m", "pip", "--version"]))?.code !== 0) {
    throw new InputError(
      `Cannot install ${what}: ${python.program} has no pip; install it ` +
        `(Debian, Ubuntu: apt install python3-pip; elsewhere: ${python.program} -m ensurepip), or ${otherwise}`,
    );
  }
  return python;
}
