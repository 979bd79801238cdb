/**
 * The command `explain`.
 *
 * @module
 */

import type { Command } from "commander";
import { createCommand } from "../command.ts";
import { addExplainOptions } from "../explain_options.ts";

/** Makes the command `deno task explain`. */
export function explainCommand(): Command {
  const command = createCommand("explain", "Shows what of an image speaks for each word of its caption.", {
    examples: [
      "deno task explain photo.jpg",
      'deno task explain --caption "a dog runs on the grass" photo.jpg',
      "deno task explain --checkpoint runs/first/best.safetensors --out maps --json photo.jpg > maps.json",
    ],
  });
  return addExplainOptions(command).allowExcessArguments(false);
}
