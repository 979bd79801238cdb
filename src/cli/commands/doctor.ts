import type { Command } from "commander";
import { createCommand } from "../command.ts";
import { addTrainOptions } from "../train_options.ts";

export function doctorCommand(): Command {
  const command = createCommand(
    "doctor",
    "Checks a dataset, and the machine, as train would use them; takes the options of train.",
    {
      examples: [
        "deno task doctor --data path/to/flickr8k",
        "deno task doctor --data path/to/flickr8k --image-size 128 --batch-size 8   # do these fit?",
        "deno task doctor --data path/to/flickr8k --json > doctor.json",
      ],
    },
  );
  return addTrainOptions(command).option("--json", "print all findings as one JSON object");
}
