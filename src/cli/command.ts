import { Command, CommanderError, InvalidArgumentError } from "commander";
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import { errorCode, isNotUtf8, NOT_UTF8 } from "../files/file_error.ts";
import { EngineError } from "../ffi/status.ts";
import { InputError } from "../input_error.ts";
import { printNote, printText } from "./output.ts";

/** Exit code if options or input are wrong, or some input could not be used. */
export const EXIT_INPUT = 1;
/** Exit code after Ctrl-C: 128 plus the signal's number. */
export const EXIT_INTERRUPTED = 130;

const EXIT_CODES = `
Exit codes:
  0    success
  ${EXIT_INPUT}    options or input are wrong, or some input could not be used; standard error says what and why
  ${EXIT_INTERRUPTED}  stopped cleanly by Ctrl-C, SIGTERM or SIGHUP`;

/** Options of {@linkcode createCommand}. */
export interface CommandOptions {
  /**
   * Command lines for the help, with a remark after #.
   *
   * @default {[]}
   */
  readonly examples?: readonly string[];
}

/**
 * Creates the command `deno task NAME`. Its errors are one line and suggest the nearest option; its help ends with examples
 * and exit codes; it never exits the process.
 */
export function createCommand(name: string, description: string, options: CommandOptions = {}): Command {
  const { examples = [] } = options;
  const lines = examples.map((example) => `  ${example}`);
  return new Command(`deno task ${name}`)
    .description(description)
    // After the help that the command's own options add.
    .addHelpText("afterAll", lines.length === 0 ? EXIT_CODES : `\nExamples:\n${lines.join("\n")}\n${EXIT_CODES}`)
    .exitOverride()
    .configureOutput({
      writeOut: printText,
      writeErr: (text) => printNote(text.trimEnd()),
      outputError: (text, write) => write(`${text.trim().replaceAll(/\s*\n\s*/g, " ")}\n`),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

/** Runs a task, prints what it throws as one line, and returns the exit code. */
export async function runTask(
  main: () => Promise<number>,
  print: (line: string) => void = printNote,
): Promise<number> {
  using _ = makeTooLargeFilesErrors();
  try {
    return await main();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode; // commander has printed help or the error
    if (error instanceof DOMException && error.name === "AbortError") return EXIT_INTERRUPTED;
    if (error instanceof Deno.errors.BrokenPipe) return 0; // the reader of standard output, such as `head`, has enough
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

/** Without a listener, a write beyond `ulimit -f` ends the process; with one, it is an error. */
function makeTooLargeFilesErrors(): Disposable {
  if (Deno.build.os === "windows") return { [Symbol.dispose]: () => {} };
  const ignore = () => {};
  Deno.addSignalListener("SIGXFSZ", ignore);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGXFSZ", ignore) };
}

function permissionMessage(error: Error): string {
  const needed = error.message.match(/--allow-[a-z]+/)?.[0] ?? "a permission";
  const [what = error.message] = error.message.split(", run again");
  return `${what}; run it with deno task, or give ${needed}`;
}

/**
 * Resolves a path against the user's working directory, which deno task leaves.
 *
 * @throws {InputError} If it is not UTF-8: the path that Deno makes of it may be another file's.
 */
export function userPath(path: string, folder: string = userFolder()): string {
  if (isNotUtf8(path)) throw new InputError(`Cannot use '${path}': ${NOT_UTF8}`);
  return isAbsolute(path) ? path : join(folder, path);
}

/** The user's working directory. */
export function userFolder(): string {
  return Deno.env.get("INIT_CWD") ?? Deno.cwd();
}

/** A commander parser for whole numbers of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value < 2 ** 31) return value;
    throw new InvalidArgumentError(`It must be a whole number, ${least} or more.`);
  };
}

/** A commander parser that collects repeated `key=value` options. */
export function keyValue(text: string, settings: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, key, value] = text.match(/^(\w+)=(.+)$/) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError("It must be key=value.");
  return { ...settings, [key]: value };
}

/** A commander parser that collects the values of a repeated option. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** A commander parser for an option of which a second value would hide the first. */
export function once(value: string, before?: string): string {
  if (before === undefined) return value;
  throw new InvalidArgumentError(`It is given already, as '${before}': give it once.`);
}

/** The value of an option that is given once, the values of one that is repeated. */
export function oneOrSeveral<Value>(values: readonly Value[] | undefined): Value | readonly Value[] | undefined {
  return values?.length === 1 ? values[0] : values;
}

const quietSchema = z.object({ quiet: z.boolean().default(false) });

export function addQuietOption(command: Command, description: string): Command {
  return command.option("-q, --quiet", description);
}

export function parseQuietOption(options: Readonly<Record<string, unknown>>): boolean {
  return quietSchema.parse(options).quiet;
}
