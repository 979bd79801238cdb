import type { Command } from "commander";
import { createCommand } from "../command.ts";
import { addExplainOptions } from "../explain_options.ts";

export function explainCommand(): Command {
  const command = createCommand("explain", "Writes a Grad-CAM heat map for each word of an image's caption.", {
    examples: [
      "deno task explain photo.jpg",
      'deno task explain --caption "a dog runs on the grass" photo.jpg',
      "deno task explain --checkpoint runs/first/best.safetensors --out maps --json photo.jpg > maps.json",
    ],
  });
  return addExplainOptions(command).allowExcessArguments(false);
}
