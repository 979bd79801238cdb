// A reporter that records what it receives.

import type { TrainingReporter } from "../../src/pipeline/training_reporter.ts";
import type { EpochMetrics, StepReport } from "../../src/pipeline/meter.ts";

/** Keeps notes, steps and epochs; counts of progress by task. */
export interface SilentReporter extends TrainingReporter {
  readonly notes: string[];
  readonly steps: StepReport[];
  readonly epochs: { readonly metrics: EpochMetrics; readonly best: boolean }[];
  readonly tasks: Set<string>;
}

/** A reporter that prints nothing. */
export function silentReporter(onStep: () => void = () => {}): SilentReporter {
  const kept = {
    notes: new Array<string>(),
    steps: new Array<StepReport>(),
    epochs: new Array<SilentReporter["epochs"][number]>(),
    tasks: new Set<string>(),
  };
  return {
    ...kept,
    note: (line) => kept.notes.push(line),
    warn: (line) => kept.notes.push(line),
    progress: (task) => kept.tasks.add(task),
    step: (report) => {
      kept.steps.push(report);
      onStep();
    },
    epoch: (metrics, best) => kept.epochs.push({ metrics, best }),
  };
}
