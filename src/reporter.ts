/**
 * Messages and progress of long work.
 *
 * @module
 */

/** Receives messages and progress. */
export interface Reporter {
  /** A line for the user. */
  note(line: string): void;
  /** `done` of `total` items of a task are done. */
  progress(task: string, done: number, total: number): void;
}
