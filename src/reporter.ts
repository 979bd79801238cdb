/** Receives messages and progress of long work. */
export interface Reporter {
  /** Prints a line for the user. */
  note(line: string): void;
  /** Prints a line that is shown even if notes are hidden. */
  warn(line: string): void;
  /** Reports that `done` of `total` items of a task are done. */
  progress(task: string, done: number, total: number): void;
}
