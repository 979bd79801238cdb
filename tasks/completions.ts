import { z } from "zod";
import { runTask } from "../src/cli/command.ts";
import { completionsCommand } from "../src/cli/commands/completions.ts";
import { TASK_COMMANDS } from "../src/cli/commands/task_commands.ts";
import { completionScript, SHELLS } from "../src/cli/completions.ts";

const schema = z.tuple([z.enum(SHELLS)]);

// deno-lint-ignore require-await
async function main(): Promise<number> {
  const command = completionsCommand();
  command.parse(Deno.args, { from: "user" });
  const [shell] = schema.parse(command.args);
  console.log(completionScript(shell, TASK_COMMANDS).trimEnd());
  return 0;
}

Deno.exit(await runTask(main));
