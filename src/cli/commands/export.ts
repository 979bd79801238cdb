import { type Command, Option } from "commander";
import { createCommand } from "../command.ts";

export function exportCommand(): Command {
  return createCommand("export", "Exports a model's weights for PyTorch, and its vocabulary.", {
    examples: [
      "deno task export --out model.pth                       # and model.vocab.json",
      "deno task export --checkpoint runs/first/best.safetensors --out weights.safetensors --force",
    ],
  })
    .option("--checkpoint <file>", "checkpoint (default: the newest run's best.safetensors)")
    .requiredOption("--out <file>", "file for the weights")
    .addOption(
      new Option("--format <format>", "format of the weights (default: by the extension of --out)")
        .choices(["pth", "safetensors"]),
    )
    .option("--vocabulary <file>", "file for the vocabulary, as JSON (default: beside the weights, .vocab.json)")
    .option("--force", "overwrite existing files");
}
