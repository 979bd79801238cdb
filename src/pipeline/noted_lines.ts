import type { NotedLine } from "../report/reported_run.ts";
import type { TrainingReporter } from "./training_reporter.ts";

/** A reporter that keeps the lines it passes on, for the report of the run. */
export interface NotingReporter extends TrainingReporter {
  /** The lines so far. */
  readonly lines: readonly NotedLine[];
}

/** Keeps notes and warnings, each with the number of epochs that were done. */
export function noteLines(reporter: TrainingReporter): NotingReporter {
  const lines: NotedLine[] = [];
  let epochs = 0;
  const keep = (line: string, warning: boolean) => void lines.push({ line, warning, epochs });
  return {
    lines,
    note(line) {
      keep(line, false);
      reporter.note(line);
    },
    warn(line) {
      keep(line, true);
      reporter.warn(line);
    },
    progress: (task, done, total) => reporter.progress(task, done, total),
    step: (report) => reporter.step(report),
    epoch(metrics, best) {
      epochs = metrics.epoch;
      reporter.epoch(metrics, best);
    },
  };
}
