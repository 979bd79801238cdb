/**
 * Programs started with a task's permissions, which `deno.json` alone lists.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { InputError } from "../src/input_error.ts";

/** The project's root. */
export const PROJECT: string = fileURLToPath(new URL("..", import.meta.url));

const configSchema = z.object({ tasks: z.record(z.string(), z.object({ command: z.string() })) });

/** A program, its arguments and the folder it runs in. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** Options of {@linkcode taskCommand}. */
export interface TaskCommandOptions {
  /**
   * A script that runs in place of the task's, relative to the root.
   *
   * @default {the task's script}
   */
  readonly script?: string;
  /**
   * The checkout whose `deno.json` and scripts are meant.
   *
   * @default {PROJECT}
   */
  readonly root?: string | undefined;
}

/**
 * The command of a task as `deno task` runs it once everything is built.
 *
 * @param args What a user types after the task's name; paths are absolute.
 */
export function taskCommand(
  task: "train" | "caption" | "serve",
  args: readonly string[],
  options: TaskCommandOptions = {},
): Program {
  const { script, root = PROJECT } = options;
  const { tasks } = configSchema.parse(JSON.parse(Deno.readTextFileSync(join(root, "deno.json"))));
  const [, ...words] = tasks[task]?.command.split(" ") ?? [];
  const own = words.pop() ?? "";
  return { command: Deno.execPath(), args: [...words, script ?? own, ...args], cwd: root };
}

/** Runs a program to its end and returns its standard output, trimmed. */
export async function outputOf(command: string, args: readonly string[], cwd: string = PROJECT): Promise<string> {
  const { success, stdout } = await new Deno.Command(command, { args: [...args], cwd, stderr: "inherit" }).output();
  if (!success) throw new InputError(`Cannot measure: '${[command, ...args].join(" ")}' failed, as said above`);
  return new TextDecoder().decode(stdout).trim();
}
