/**
 * `deno task tokenize`: prints the tokens of lines from standard input.
 *
 * @module
 */

import { Option } from "commander";
import { z } from "zod";
import { createCommand, runTask } from "../src/cli/command.ts";
import { tokenizeLines } from "../src/cli/tokenize_lines.ts";
import { tokenizerOf, TOKENIZERS } from "../src/pipeline/tokenizer/tokenizer.ts";

const schema = z.object({ tokenizer: z.enum(TOKENIZERS) });

async function main(): Promise<number> {
  const command = createCommand("tokenize", "Prints the tokens of each line from standard input, with spaces between.")
    .addOption(
      new Option("--tokenizer <name>", "NLTK's for English, or Unicode's word boundaries for any language")
        .choices(TOKENIZERS).default("nltk"),
    );
  command.parse(Deno.args, { from: "user" });
  const { tokenizer } = schema.parse(command.opts());
  const encoder = new TextEncoder();
  try {
    for await (const text of tokenizeLines(Deno.stdin.readable, tokenizerOf(tokenizer))) {
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
