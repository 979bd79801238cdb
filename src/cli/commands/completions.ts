/**
 * The command `completions`.
 *
 * @module
 */

import { Argument, type Command } from "commander";
import { createCommand } from "../command.ts";
import { SHELLS } from "../completions.ts";

/** Makes the command `deno task completions`. */
export function completionsCommand(): Command {
  return createCommand("completions", "Prints a script that completes tasks and their options in a shell.", {
    examples: [
      "deno task completions bash >> ~/.bashrc",
      "deno task completions zsh >> ~/.zshrc                    # after compinit",
      "deno task completions fish > ~/.config/fish/completions/deno.fish",
    ],
  }).addArgument(new Argument("<shell>", "the shell").choices(SHELLS));
}
