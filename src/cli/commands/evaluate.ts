import type { Command } from "commander";
import { addQuietOption, createCommand } from "../command.ts";
import { addEvaluateOptions } from "../evaluate_options.ts";
import { addProcessGroupOptions } from "../process_group.ts";

export function evaluateCommand(): Command {
  const command = createCommand("evaluate", "Scores captions against references written by people.", {
    examples: [
      "deno task evaluate --checkpoint runs/first/best.safetensors --data path/to/flickr8k",
      "deno task evaluate --checkpoint runs/first/best.safetensors --data path/to/flickr8k --beam 5 --out scores",
      "deno task evaluate --predictions captions.json --references captions_val2014.json --json",
    ],
  });
  return addQuietOption(addProcessGroupOptions(addEvaluateOptions(command)), "print only scores, warnings and errors");
}
