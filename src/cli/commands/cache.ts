import { Argument, type Command } from "commander";
import { createCommand } from "../command.ts";

export function cacheCommand(): Command {
  return createCommand("cache", "Lists, verifies or clears cached images, cached features and downloaded weights.", {
    examples: [
      "deno task cache list",
      "deno task cache verify",
      "deno task cache clear",
      "deno task cache clear weights --cache /data/cache",
    ],
  })
    .addArgument(new Argument("<action>", "list, verify or clear").choices(["list", "verify", "clear"]))
    .argument(
      "[name]",
      "a cache as named by list: the one to list, or to clear (default: all, but not weights with clear)",
    )
    .option("--cache <folder>", "folder of the caches (default: the project's .cache)");
}
