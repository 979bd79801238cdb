/** Receives messages and progress of long work. */
export interface Reporter {
  /** A line for the user. */
  note(line: string): void;
  /** A line that is shown even if notes are hidden. */
  warn(line: string): void;
  /** `done` of `total` items of a task are done. */
  progress(task: string, done: number, total: number): void;
}
