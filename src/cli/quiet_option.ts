import type { Command } from "commander";
import { z } from "zod";

const schema = z.object({ quiet: z.boolean().default(false) });

export function addQuietOption(command: Command, description: string): Command {
  return command.option("-q, --quiet", description);
}

export function parseQuietOption(options: Readonly<Record<string, unknown>>): boolean {
  return schema.parse(options).quiet;
}
