/**
 * The command `tokenize`.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { TOKENIZERS } from "../../text/tokenizer.ts";
import { createCommand } from "../command.ts";

/** What splits captions that are trained with, and the one that they are scored with. */
export const TOKENIZE_CHOICES = [...TOKENIZERS, "ptb"] as const;

/** Makes the command `deno task tokenize`. */
export function tokenizeCommand(): Command {
  const description = "Prints the tokens of each line from standard input, with spaces between.";
  return createCommand("tokenize", description, {
    examples: [
      "deno task tokenize < captions.txt",
      "deno task tokenize --tokenizer ptb < captions.txt   # as scores see them",
    ],
  })
    .addOption(
      new Option(
        "--tokenizer <name>",
        "NLTK's for English, Unicode's word boundaries for any language, or the Penn Treebank's as for scores",
      ).choices(TOKENIZE_CHOICES).default("nltk"),
    );
}
