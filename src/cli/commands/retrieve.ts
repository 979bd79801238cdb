import type { Command } from "commander";
import { createCommand } from "../command.ts";
import { addRetrieveOptions } from "../retrieve_options.ts";

export function retrieveCommand(): Command {
  return addRetrieveOptions(createCommand("retrieve", "Finds images by a sentence, or scores a model on retrieval.", {
    examples: [
      'deno task retrieve --query "a dog on the beach" --images photos --recursive',
      "deno task retrieve --checkpoint runs/first/best.safetensors --data path/to/flickr8k",
    ],
  }));
}
