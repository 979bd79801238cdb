import { Argument, type Command } from "commander";
import { createCommand } from "../command.ts";
import { SHELLS } from "../completions.ts";

export function completionsCommand(): Command {
  return createCommand("completions", "Prints a shell script that completes tasks and their options.", {
    examples: [
      "deno task completions bash >> ~/.bashrc",
      "deno task completions zsh >> ~/.zshrc                    # after compinit",
      "deno task completions fish > ~/.config/fish/completions/deno.fish",
    ],
  }).addArgument(new Argument("<shell>", "bash, zsh or fish").choices(SHELLS));
}
