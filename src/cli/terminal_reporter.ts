import { printNote } from "./output.ts";
import { ProgressReporter } from "./progress_reporter.ts";

/** Options of {@linkcode terminalReporter}. */
export interface TerminalReporterOptions {
  /**
   * Number of epochs, for the remaining time.
   *
   * @default {0}
   */
  readonly epochs?: number;
  /**
   * Whether the training loss is a negated reward.
   *
   * @default {false}
   */
  readonly rewards?: boolean;
  /**
   * Whether to print only warnings and what was skipped.
   *
   * @default {false}
   */
  readonly quiet?: boolean;
  /**
   * Receives the lines.
   *
   * @default {printNote}
   */
  readonly print?: (line: string) => void;
}

/** A reporter that shows bars if standard error is a terminal, and plain lines otherwise. */
export function terminalReporter(options: TerminalReporterOptions = {}): ProgressReporter {
  const { epochs = 0, rewards = false, quiet = false, print = printNote } = options;
  return new ProgressReporter({
    epochs,
    rewards,
    quiet,
    print,
    terminal: Deno.stderr.isTerminal(),
    now: () => performance.now(),
  });
}
