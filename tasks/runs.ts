import { EXIT_INPUT, runTask, userPath } from "../src/cli/command.ts";
import { runsCommand } from "../src/cli/commands/runs.ts";
import { describeRuns } from "../src/cli/run_list.ts";
import { InputError } from "../src/input_error.ts";
import { isFolder } from "../src/files/list_folder.ts";
import { listRuns } from "../src/report/list_runs.ts";
import { printLine, printNote } from "../src/cli/output.ts";

async function main(): Promise<number> {
  const command = runsCommand();
  command.parse(Deno.args, { from: "user" });
  const folder = userPath(command.processedArgs[0]);
  if (!await isFolder(folder)) {
    throw new InputError(
      `Cannot list runs: there is no folder '${folder}'; deno task train makes one, or name another`,
    );
  }
  const { runs, problems } = await listRuns(folder);
  if (command.opts()["json"] === true) printLine(JSON.stringify(runs, null, 2));
  else for (const line of describeRuns(runs)) printLine(line);
  for (const line of problems) printNote(`error: ${line}`);
  return problems.length === 0 ? 0 : EXIT_INPUT;
}

Deno.exit(await runTask(main));
