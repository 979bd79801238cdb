import type { Reporter } from "../reporter.ts";
import type { EpochMetrics, StepReport } from "./meter.ts";

/** Receives the messages and the progress of a training run. */
export interface TrainingReporter extends Reporter {
  /** A training step is done. */
  step(report: StepReport): void;
  /** An epoch is done. */
  epoch(metrics: EpochMetrics, best: boolean): void;
}
