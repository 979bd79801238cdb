/**
 * `deno task tokenize`: prints the tokens of lines from standard input.
 *
 * @module
 */

import { Option } from "commander";
import { z } from "zod";
import { createCommand, runTask } from "../src/cli/command.ts";
import { tokenizeLines } from "../src/cli/tokenize_lines.ts";
import { ptbTokenize } from "../src/evaluation/ptb_tokenizer.ts";
import { tokenizerOf, TOKENIZERS } from "../src/pipeline/tokenizer/tokenizer.ts";

/** Those that captions are trained with, and the one that they are scored with. */
const CHOICES = [...TOKENIZERS, "ptb"] as const;

const schema = z.object({ tokenizer: z.enum(CHOICES) });

async function main(): Promise<number> {
  const command = createCommand("tokenize", "Prints the tokens of each line from standard input, with spaces between.")
    .addOption(
      new Option(
        "--tokenizer <name>",
        "NLTK's for English, Unicode's word boundaries for any language, or the Penn Treebank's as for scores",
      ).choices(CHOICES).default("nltk"),
    );
  command.parse(Deno.args, { from: "user" });
  const { tokenizer } = schema.parse(command.opts());
  const tokenize = tokenizer === "ptb" ? ptbTokenize : tokenizerOf(tokenizer);
  const encoder = new TextEncoder();
  try {
    for await (const text of tokenizeLines(Deno.stdin.readable, tokenize)) {
      const bytes = encoder.encode(text);
      for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
    }
  } catch (error) {
    // Whoever reads the lines wants no more: `| head`.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
  return 0;
}

Deno.exit(await runTask(main));
