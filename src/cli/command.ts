/**
 * What every task does around its work: options, errors in one line, exit codes.
 *
 * @module
 */

import { Command, CommanderError, InvalidArgumentError } from "commander";
import { isAbsolute, join } from "node:path";
import { errorCode } from "../files/file_error.ts";
import { EngineError } from "../ffi/status.ts";
import { InputError } from "../input_error.ts";

/** Exit code after wrong input, or where some of it could not be used. */
export const EXIT_INPUT = 1;
/** Exit code after Ctrl-C: 128 and the signal's number. */
export const EXIT_INTERRUPTED = 130;

const EXIT_CODES = `
Exit codes:
  0    all is done
  ${EXIT_INPUT}    options or input are wrong, or some of it could not be used; lines on standard error say what and why
  ${EXIT_INTERRUPTED}  ended by Ctrl-C or SIGTERM, in good order`;

/** Options of {@linkcode createCommand}. */
export interface CommandOptions {
  /**
   * Lines that a user may type, with a remark after #; shown in the help.
   *
   * @default {[]}
   */
  readonly examples?: readonly string[];
}

/**
 * A command whose errors are one line with the nearest known option, and which never ends the process itself. Its help
 * ends with examples and exit codes.
 *
 * @param name What the user types after `deno task`.
 * @param description What it does.
 * @param options See {@linkcode CommandOptions}.
 * @returns The command, to be given its options.
 */
export function createCommand(name: string, description: string, options: CommandOptions = {}): Command {
  const { examples = [] } = options;
  const lines = examples.map((example) => `  ${example}`);
  return new Command(`deno task ${name}`)
    .description(description)
    // After what the command's own options add.
    .addHelpText("afterAll", lines.length === 0 ? EXIT_CODES : `\nExamples:\n${lines.join("\n")}\n${EXIT_CODES}`)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`${text.trim().replaceAll(/\s*\n\s*/g, " ")}\n`),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

/**
 * Runs a task and turns what it throws into a line and an exit code.
 *
 * @param main The task; it returns its exit code.
 * @param print Where the line goes.
 * @returns The exit code.
 */
export async function runTask(
  main: () => Promise<number>,
  print: (line: string) => void = console.error,
): Promise<number> {
  try {
    return await main();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode; // commander has printed help or the error
    if (error instanceof DOMException && error.name === "AbortError") return EXIT_INTERRUPTED;
    if (error instanceof Deno.errors.NotCapable) print(`error: ${permissionMessage(error)}`);
    else if (error instanceof InputError || error instanceof EngineError) print(`error: ${error.message}`);
    else if (error instanceof Error && errorCode(error) !== "") {
      print(
        `error: Cannot read or write a file: ${error.message.replaceAll(/\s+/g, " ")}; check its path and permissions`,
      );
    } else print(`internal error: ${error instanceof Error ? error.stack : String(error)}`);
    return EXIT_INPUT;
  }
}

function permissionMessage(error: Error): string {
  const needed = error.message.match(/--allow-[a-z]+/)?.[0] ?? "a permission";
  const [what = error.message] = error.message.split(", run again");
  return `${what}; start the program by deno task, or give ${needed}`;
}

/**
 * Makes a user's path absolute: relative ones are meant from the folder where the user stands, which deno task leaves.
 *
 * @param path What the user typed.
 * @param folder The user's folder.
 * @returns The absolute path.
 */
export function userPath(path: string, folder: string = userFolder()): string {
  return isAbsolute(path) ? path : join(folder, path);
}

/** The folder where the user stands. */
export function userFolder(): string {
  return Deno.env.get("INIT_CWD") ?? Deno.cwd();
}

/**
 * Reads an option's whole number.
 *
 * @param least The least allowed.
 * @returns The parser that commander takes.
 */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value < 2 ** 31) return value;
    throw new InvalidArgumentError(`It must be a whole number, ${least} or more.`);
  };
}

/**
 * Collects `key=value` options.
 *
 * @param text What the user typed.
 * @param settings Those before it.
 * @returns All of them.
 */
export function keyValue(text: string, settings: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, key, value] = text.match(/^(\w+)=(.+)$/) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError("It must be key=value.");
  return { ...settings, [key]: value };
}
