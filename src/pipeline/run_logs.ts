import { fileErrorReason } from "../files/file_error.ts";
import { EventFile } from "./event_file.ts";
import type { EpochMetrics, StepReport } from "./meter.ts";
import type { RunFolder } from "./run_folder.ts";
import { StepLog, type StepPosition } from "./step_log.ts";
import type { TrainingReporter } from "./training_reporter.ts";

/** Options of {@linkcode logRun}. */
export interface LogRunOptions {
  /** Where training starts. */
  readonly from: StepPosition;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Whether to write event files for TensorBoard. */
  readonly tensorboard: boolean;
  readonly reporter: TrainingReporter;
}

/** A reporter that also writes logs into the run's folder. */
export interface LoggingReporter extends TrainingReporter, Disposable {}

/** Passes reports on, and logs each step. A log that cannot be written ends with a warning, and training continues. */
export async function logRun(folder: RunFolder, options: LogRunOptions): Promise<LoggingReporter> {
  const { from, steps, tensorboard, reporter } = options;
  const files = new DisposableStack();
  let logging = true;
  const attempt = (write: () => void) => {
    if (!logging) return;
    try {
      write();
    } catch (error) {
      logging = false;
      reporter.warn(
        `Warning: the steps are no longer logged in '${folder.path}': ${fileErrorReason(error)}; training continues`,
      );
    }
  };
  let log: StepLog | undefined;
  let events: EventFile | undefined;
  const opened = await StepLog.open(folder.file("steps"), from).catch((error) => {
    attempt(() => {
      throw error;
    });
  });
  if (opened !== undefined) log = files.use(opened);
  const stepOf = ({ epoch, step }: StepPosition) => (epoch - 1) * steps + step;
  if (tensorboard) attempt(() => events = files.use(new EventFile(folder.path, stepOf(from) + 1)));
  return {
    note: (line) => reporter.note(line),
    warn: (line) => reporter.warn(line),
    progress: (what, done, total) => reporter.progress(what, done, total),
    step(report) {
      attempt(() => {
        log?.step(report);
        events?.add(stepOf(report), stepScalars(report));
      });
      reporter.step(report);
    },
    epoch(metrics, best) {
      attempt(() => events?.add(metrics.epoch * steps, epochScalars(metrics)));
      reporter.epoch(metrics, best);
    },
    [Symbol.dispose]: () => files.dispose(),
  };
}

function stepScalars({ stepLoss, learningRate, encoderLearningRate, gradientNorm }: StepReport) {
  return {
    "train/loss": stepLoss,
    "train/learning_rate": learningRate,
    "train/encoder_learning_rate": encoderLearningRate,
    "train/gradient_norm": gradientNorm,
  };
}

function epochScalars(metrics: EpochMetrics) {
  const { epoch, trainLoss, validationLoss, mismatchedImageLossGap, distinctFraction, bleu4, cider } = metrics;
  return {
    "epoch/train_loss": trainLoss,
    "epoch/epoch": epoch,
    "validation/loss": validationLoss,
    "validation/mismatched_image_loss_gap": mismatchedImageLossGap,
    "validation/distinct_fraction": distinctFraction,
    "validation/bleu4": bleu4,
    "validation/cider": cider,
  };
}
