import type { Command } from "commander";
import { createCommand } from "../command.ts";

export function inspectCommand(): Command {
  return createCommand("inspect", "Shows the contents of a checkpoint or another file of weights.", {
    examples: ["deno task inspect runs/first/best.safetensors", "deno task inspect --json model.pth"],
  })
    .argument("<file>", "checkpoint, another program's .safetensors, or a PyTorch .pth")
    .option("--json", "print one JSON object");
}
