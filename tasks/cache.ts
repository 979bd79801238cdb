import { fileURLToPath } from "node:url";
import { z } from "zod";
import { clearCaches, listCaches, verifyCaches } from "../src/cli/cache_report.ts";
import { EXIT_INPUT, runTask, userPath } from "../src/cli/command.ts";
import { cacheCommand } from "../src/cli/commands/cache.ts";
import { terminalReporter } from "../src/cli/terminal_reporter.ts";
import { InputError } from "../src/input_error.ts";
import { printLine } from "../src/cli/output.ts";

const CACHE = fileURLToPath(new URL("../.cache", import.meta.url));
const schema = z.object({ cache: z.string().optional() });

async function main(): Promise<number> {
  const command = cacheCommand();
  command.parse(Deno.args, { from: "user" });
  const { cache } = schema.parse(command.opts());
  const [action, name] = command.args;
  const root = cache === undefined ? CACHE : userPath(cache);
  if (action === "verify" && name !== undefined) {
    throw new InputError(`Cannot verify a single cache: leave out '${name}'`);
  }
  if (action === "list") await listCaches(root, name, printLine);
  if (action === "clear") await clearCaches(root, name, printLine);
  return action === "verify" && !await verify(root) ? EXIT_INPUT : 0;
}

async function verify(root: string): Promise<boolean> {
  using reporter = terminalReporter();
  const progress = (task: string, done: number, total: number) => reporter.progress(task, done, total);
  return await verifyCaches(root, { print: printLine, progress });
}

Deno.exit(await runTask(main));
