/**
 * The command `export`.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { createCommand } from "../command.ts";

/** Makes the command `deno task export`. */
export function exportCommand(): Command {
  return createCommand("export", "Writes a model's weights as PyTorch loads them, and its words.", {
    examples: [
      "deno task export --out model.pth                       # and model.vocab.json",
      "deno task export --checkpoint runs/first/best.safetensors --out weights.safetensors --force",
    ],
  })
    .option("--checkpoint <file>", "what training wrote (default: the newest run's best.safetensors)")
    .requiredOption("--out <file>", "the weights")
    .addOption(
      new Option("--format <format>", "the weights' format (default: by the ending of --out)")
        .choices(["pth", "safetensors"]),
    )
    .option("--vocabulary <file>", "the words, as JSON (default: beside the weights, .vocab.json)")
    .option("--force", "replace files that are there");
}
