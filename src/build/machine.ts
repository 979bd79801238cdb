// The build's view of the machine, passed as a parameter so that a test can simulate any machine.

export interface RunOptions {
  /**
   * Variables added to the environment.
   *
   * @default {{}}
   */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Receives each line the program writes to either stream, as it arrives.
   *
   * @default {undefined}
   */
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  readonly code: number;
  /** All of the standard output. */
  readonly output: string;
  /** All of the standard error. */
  readonly errors: string;
}

export interface Machine {
  /** As in `Deno.build.os`. */
  readonly os: string;
  /** As in `Deno.build.arch`. */
  readonly arch: string;
  /** Number of files to compile at once. */
  readonly jobs: number;
  /** An environment variable; undefined if it is unset. */
  env(name: string): string | undefined;
  /** Runs a program to its end; undefined if there is no such program. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<RunResult | undefined>;
}
