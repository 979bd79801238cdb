import { runTask } from "../src/cli/command.ts";
import { trainCommand } from "../src/cli/commands/train.ts";
import { withProcessGroup } from "../src/cli/process_group.ts";
import { trainTask } from "../src/cli/train_task.ts";

async function main(): Promise<number> {
  const command = trainCommand();
  command.parse(Deno.args, { from: "user" });
  return await withProcessGroup(command.opts(), (group) => trainTask(command.opts(), group));
}

Deno.exit(await runTask(main));
