/**
 * A reporter on this process's terminal.
 *
 * @module
 */

import { ProgressReporter } from "./progress_reporter.ts";

/** Options of {@linkcode terminalReporter}. */
export interface TerminalReporterOptions {
  /**
   * Epochs of the run, for the time left.
   *
   * @default {0}
   */
  readonly epochs?: number;
  /**
   * Whether the training loss is a reward with a minus.
   *
   * @default {false}
   */
  readonly rewards?: boolean;
  /**
   * Whether only warnings are shown.
   *
   * @default {false}
   */
  readonly quiet?: boolean;
  /**
   * Takes a line.
   *
   * @default {console.error}
   */
  readonly print?: (line: string) => void;
}

/**
 * Makes a reporter that draws bars where standard error is a terminal, and prints plain lines elsewhere.
 *
 * @param options See {@linkcode TerminalReporterOptions}.
 * @returns The reporter, to be disposed with `using`.
 */
export function terminalReporter(options: TerminalReporterOptions = {}): ProgressReporter {
  const { epochs = 0, rewards = false, quiet = false, print = console.error } = options;
  return new ProgressReporter({
    ...{ epochs, rewards, quiet, print },
    terminal: Deno.stderr.isTerminal(),
    now: () => performance.now(),
  });
}
