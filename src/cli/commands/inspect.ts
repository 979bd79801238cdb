/**
 * The command `inspect`.
 *
 * @module
 */

import type { Command } from "commander";
import { createCommand } from "../command.ts";

/** Makes the command `deno task inspect`. */
export function inspectCommand(): Command {
  return createCommand("inspect", "Says what a checkpoint or another file of weights holds.", {
    examples: ["deno task inspect runs/first/best.safetensors", "deno task inspect --json model.pth"],
  })
    .argument("<file>", "a checkpoint, another program's .safetensors, or a .pth of PyTorch")
    .option("--json", "all of it as one object");
}
