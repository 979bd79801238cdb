import { dirname } from "node:path";
import { z } from "zod";
import { buildLibrary } from "../src/build/build_library.ts";
import { localMachine } from "../src/build/local_machine.ts";
import { runTask } from "../src/cli/command.ts";
import { buildCommand } from "../src/cli/commands/build.ts";

const schema = z.object({ verbose: z.boolean().default(false), sanitize: z.boolean().default(false) });

async function main(): Promise<number> {
  const command = buildCommand();
  command.parse(Deno.args, { from: "user" });
  const options = schema.parse(command.opts());
  await buildLibrary(dirname(import.meta.dirname ?? "."), localMachine(), { ...options, report: console.error });
  return 0;
}

Deno.exit(await runTask(main));
