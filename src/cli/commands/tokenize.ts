import { type Command, Option } from "commander";
import { TOKENIZERS } from "../../text/tokenizer.ts";
import { createCommand } from "../command.ts";

/** The tokenizers for training, and `ptb`, the one for scores. */
export const TOKENIZE_CHOICES = [...TOKENIZERS, "ptb"] as const;

export function tokenizeCommand(): Command {
  const description = "Prints the tokens of each line of standard input, separated by spaces.";
  return createCommand("tokenize", description, {
    examples: [
      "deno task tokenize < captions.txt",
      "deno task tokenize --tokenizer ptb < captions.txt   # as for scores",
    ],
  })
    .addOption(
      new Option(
        "--tokenizer <name>",
        "nltk for English, unicode for word boundaries in any language, ptb (Penn Treebank) as for scores",
      ).choices(TOKENIZE_CHOICES).default("nltk"),
    );
}
