/**
 * The command `build`.
 *
 * @module
 */

import type { Command } from "commander";
import { createCommand } from "../command.ts";

const ENVIRONMENT = `
Environment:
  LIBTORCH       folder of the libtorch to use (2.11 to 2.13): an unpacked libtorch, or Python's torch folder
  CXX            the C++ compiler to use (g++ 12 or newer)
  LRCN_PIP_ARGS  options added to pip's, separated by spaces`;

/** Makes the command `deno task build`. */
export function buildCommand(): Command {
  const description =
    "Builds native/build/liblrcn.so where it is not up to date, installing libtorch and cmake where they are missing.";
  return createCommand("build", description, { examples: ["deno task build", "deno task build --verbose"] })
    .option("--verbose", "show all that pip, cmake and the compiler say")
    .option("--sanitize", "build with AddressSanitizer and UndefinedBehaviorSanitizer, into native/build-asan")
    .addHelpText("after", ENVIRONMENT)
    .allowExcessArguments(false);
}
