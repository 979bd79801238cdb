import { join } from "node:path";
import process from "node:process";
import { runTask, userFolder, userPath } from "../src/cli/command.ts";
import { reportCommand } from "../src/cli/commands/report.ts";
import { writeReport } from "../src/report/write_report.ts";
import { printLine } from "../src/cli/output.ts";

async function main(): Promise<number> {
  const command = reportCommand();
  command.parse(Deno.args, { from: "user" });
  const folders = command.args.map((path) => userPath(path));
  const { out } = command.opts<{ out?: string }>();
  const [only, ...others] = folders;
  const fallback = join(others.length === 0 ? only ?? "." : userFolder(), "report.html");
  const path = out === undefined ? fallback : userPath(out);
  await writeReport(folders, path);
  printLine(path);
  return 0;
}

process.exitCode = await runTask(main);
