import { runTask, userPath } from "../src/cli/command.ts";
import { inspectCommand } from "../src/cli/commands/inspect.ts";
import { describeInspection, inspectFile } from "../src/cli/inspect_file.ts";
import { z } from "zod";
import { printLine } from "../src/cli/output.ts";

const schema = z.object({ json: z.boolean().default(false) });

async function main(): Promise<number> {
  const command = inspectCommand();
  command.parse(Deno.args, { from: "user" });
  const { json } = schema.parse(command.opts());
  const [file = ""] = command.args;
  const inspection = await inspectFile(userPath(file));
  printLine(json ? JSON.stringify(inspection, null, 2) : describeInspection(inspection));
  return 0;
}

Deno.exit(await runTask(main));
