/**
 * `deno task build`: builds the native library where it is not up to date.
 *
 * @module
 */

import { Command } from "commander";
import { dirname } from "node:path";
import { buildLibrary } from "../src/build/build_library.ts";
import { localMachine } from "../src/build/local_machine.ts";
import { InputError } from "../src/input_error.ts";

const command = new Command("build")
  .description("Build native/build/liblrcn.so where it is not up to date, installing libtorch and cmake where missing.")
  .option("--verbose", "show all that pip, cmake and the compiler say")
  .option("--sanitize", "build with AddressSanitizer and UndefinedBehaviorSanitizer, into native/build-asan")
  .addHelpText(
    "after",
    `
Environment:
  LIBTORCH       folder of the libtorch to use (2.11 to 2.13): an unpacked libtorch, or Python's torch folder
  CXX            the C++ compiler to use (g++ 12 or newer)
  LRCN_PIP_ARGS  options added to pip's, separated by spaces`,
  )
  .allowExcessArguments(false)
  .parse(Deno.args, { from: "user" });

try {
  await buildLibrary(dirname(import.meta.dirname ?? "."), localMachine(), {
    ...command.opts<{ verbose?: boolean; sanitize?: boolean }>(),
    report: (line) => console.error(line),
  });
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
