import { z } from "zod";
import { runTask } from "../src/cli/command.ts";
import { TOKENIZE_CHOICES, tokenizeCommand } from "../src/cli/commands/tokenize.ts";
import { tokenizeLines } from "../src/text/tokenize_lines.ts";
import { writeOutput } from "../src/cli/output.ts";
import { ptbTokenize } from "../src/text/ptb/tokenizer.ts";
import { tokenizerOf } from "../src/text/tokenizer.ts";

const schema = z.object({ tokenizer: z.enum(TOKENIZE_CHOICES) });

async function main(): Promise<number> {
  const command = tokenizeCommand();
  command.parse(Deno.args, { from: "user" });
  const { tokenizer } = schema.parse(command.opts());
  const tokenize = tokenizer === "ptb" ? ptbTokenize : tokenizerOf(tokenizer);
  for await (const text of tokenizeLines(Deno.stdin.readable, tokenize)) await writeOutput(text);
  return 0;
}

Deno.exit(await runTask(main));
