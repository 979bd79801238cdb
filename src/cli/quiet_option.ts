/**
 * The option `--quiet`.
 *
 * @module
 */

import type { Command } from "commander";
import { z } from "zod";

const schema = z.object({ quiet: z.boolean().default(false) });

/**
 * Adds `--quiet`.
 *
 * @param command The command.
 * @param meaning What is printed then.
 * @returns The command.
 */
export function addQuietOption(command: Command, meaning: string): Command {
  return command.option("-q, --quiet", meaning);
}

/**
 * Reads it.
 *
 * @param options What commander parsed.
 */
export function parseQuietOption(options: Readonly<Record<string, unknown>>): boolean {
  return schema.parse(options).quiet;
}
