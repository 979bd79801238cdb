/**
 * What the build asks of the machine that it runs on: a parameter, so that a test can be any machine.
 *
 * @module
 */

/** How a program is run. */
export interface RunOptions {
  /**
   * Variables added to the environment.
   *
   * @default {{}}
   */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Called with each line that the program writes, to either stream, as it comes.
   *
   * @default {undefined}
   */
  readonly onLine?: (line: string) => void;
}

/** How a program ended. */
export interface RunResult {
  /** The exit code. */
  readonly code: number;
  /** All of the standard output. */
  readonly output: string;
  /** All of the standard error. */
  readonly errors: string;
}

/** The machine: its kind, its environment, its programs. */
export interface Machine {
  /** The operating system, as `Deno.build.os` names it. */
  readonly os: string;
  /** The processor, as `Deno.build.arch` names it. */
  readonly arch: string;
  /** How many files may be compiled at once. */
  readonly jobs: number;
  /** The value of an environment variable; undefined where it is unset. */
  env(name: string): string | undefined;
  /** Runs a program to its end; undefined where there is no such program. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<RunResult | undefined>;
}
