import type { Command } from "commander";
import { createCommand } from "../command.ts";
import { addLabelOptions } from "../label_options.ts";

export function labelCommand(): Command {
  const command = createCommand(
    "label",
    "Serves a page to caption a folder of images: the model proposes, you decide.",
    {
      examples: [
        "deno task label --images photos --labels photos/captions.csv",
        "deno task label --images photos --labels photos/captions.csv --checkpoint runs/first/best.safetensors",
      ],
    },
  );
  return addLabelOptions(command).allowExcessArguments(false);
}
