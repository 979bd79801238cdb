/**
 * The command `doctor`.
 *
 * @module
 */

import type { Command } from "commander";
import { createCommand } from "../command.ts";
import { addTrainOptions } from "../train_options.ts";

/** Makes the command `deno task doctor`. */
export function doctorCommand(): Command {
  const command = createCommand("doctor", "Examines a dataset as train would use it; it takes the options of train.", {
    examples: [
      "deno task doctor --data path/to/flickr8k",
      "deno task doctor --data path/to/flickr8k --image-size 128 --batch-size 8   # whether these fit",
      "deno task doctor --data path/to/flickr8k --json > examination.json",
    ],
  });
  return addTrainOptions(command).option("--json", "all that was found, for programs");
}
