/**
 * The command `cache`.
 *
 * @module
 */

import { Argument, type Command } from "commander";
import { createCommand } from "../command.ts";

/** Makes the command `deno task cache`. */
export function cacheCommand(): Command {
  return createCommand("cache", "Lists, verifies and clears decoded images, features and downloaded weights.", {
    examples: [
      "deno task cache list",
      "deno task cache verify",
      "deno task cache clear",
      "deno task cache clear weights --cache /data/cache",
    ],
  })
    .addArgument(new Argument("<action>", "what to do").choices(["list", "verify", "clear"]))
    .argument("[name]", "with clear: the one to remove, by its name in the list (default: all but weights)")
    .option("--cache <folder>", "the folder of the caches (default: the project's .cache)");
}
