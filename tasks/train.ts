/**
 * `deno task train`: trains a captioner.
 *
 * @module
 */

import { runTask } from "../src/cli/command.ts";
import { trainCommand } from "../src/cli/commands/train.ts";
import { withRanks } from "../src/cli/ranks.ts";
import { trainTask } from "../src/cli/train_task.ts";

async function main(): Promise<number> {
  const command = trainCommand();
  command.parse(Deno.args, { from: "user" });
  return await withRanks(command.opts(), (ranks) => trainTask(command.opts(), ranks));
}

Deno.exit(await runTask(main));
