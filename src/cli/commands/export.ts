import { type Command, InvalidArgumentError, Option } from "commander";
import { EXPORT_FORMATS, EXPORT_TYPE_NAMES } from "../../checkpoint/export_model.ts";
import { createCommand } from "../command.ts";

export function exportCommand(): Command {
  return createCommand(
    "export",
    "Exports a model's weights for PyTorch, and its vocabulary, or both as a smaller checkpoint.",
    {
      examples: [
        "deno task export --out model.pth                       # and model.vocab.json",
        "deno task export --checkpoint runs/first/best.safetensors --out weights.safetensors --force",
        "deno task export --format checkpoint --dtype float16 --out small.safetensors",
        "deno task export --average runs/self-critical/best.safetensors --fraction 0.2 --format checkpoint --out mean.safetensors",
      ],
    },
  )
    .option("--checkpoint <file>", "checkpoint (default: the best of the newest run, else the one that ships)")
    .requiredOption("--out <file>", "file for the weights")
    .addOption(
      new Option("--format <format>", "format of the weights (default: by the extension of --out)")
        .choices([...EXPORT_FORMATS]),
    )
    .addOption(
      new Option("--dtype <type>", "float type of the weights (default: the checkpoint's)")
        .choices([...EXPORT_TYPE_NAMES]),
    )
    .option(
      "--average <file>",
      "average the weights with this checkpoint's, if one of the two was trained from the other",
    )
    .option("--fraction <x>", "fraction of --average in the average, from 0 to 1 (default: 0.5)", fraction)
    .option("--scores <file>", "keep these scores in the checkpoint: scores.json of evaluate --split validation --out")
    .option("--vocabulary <file>", "file for the vocabulary, as JSON (default: beside the weights, .vocab.json)")
    .option("--force", "overwrite existing files");
}

function fraction(text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("Give a number from 0 to 1.");
}
