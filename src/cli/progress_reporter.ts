// @ts-types="@types/cli-progress"
import cliProgress from "cli-progress";
import type { EpochMetrics, StepReport } from "../pipeline/meter.ts";
import type { TrainingReporter } from "../pipeline/training_reporter.ts";
import { sparkline } from "./sparkline.ts";

const LINES_PER_EPOCH = 4;
const BAR = { barsize: 24, hideCursor: true, clearOnComplete: true, fps: 5 };

function threeDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Formats seconds for people: `1 h 5 min`, `1 min 15 s`, `9 s`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** Options of {@linkcode ProgressReporter}. */
export interface ProgressReporterOptions {
  /** Number of epochs, for the remaining time. */
  readonly epochs: number;
  /**
   * Whether the training loss is a negated reward, as in self-critical training.
   *
   * @default {false}
   */
  readonly rewards?: boolean;
  /** Whether the output is a terminal, which can show bars. */
  readonly terminal: boolean;
  /**
   * Whether to print only warnings and what was skipped.
   *
   * @default {false}
   */
  readonly quiet?: boolean;
  readonly print: (line: string) => void;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

/** Reports a training run: bars on a terminal, plain lines elsewhere. */
export class ProgressReporter implements TrainingReporter, Disposable {
  readonly #options: ProgressReporterOptions;
  #bar: cliProgress.SingleBar | undefined;
  #task = "";
  readonly #epochs: EpochMetrics[] = [];
  #first: { readonly done: number; readonly time: number; readonly stageEnd: number } | undefined;

  constructor(options: ProgressReporterOptions) {
    this.#options = options;
  }

  /** Prints a line above the bar, unless quiet. */
  note(line: string): void {
    if (!this.#options.quiet) this.warn(line);
  }

  /** Prints a line above the bar. */
  warn(line: string): void {
    this.#stopBar();
    this.#options.print(line);
  }

  /** Shows the progress of a counted task. */
  progress(task: string, done: number, total: number): void {
    this.#show(task, done, total, "");
  }

  /** Shows loss, speed, remaining time and the fraction of time spent waiting for data. */
  step(report: StepReport): void {
    const { epoch, stageEnd, step, steps, loss, learningRate, encoderLearningRate, gradientNorm } = report;
    const { epochs, now } = this.#options;
    const done = (epoch - 1) * steps + step;
    if (this.#first?.stageEnd !== stageEnd) this.#first = { done, time: now(), stageEnd };
    const since = done - this.#first.done;
    const left = (now() - this.#first.time) / 1000 / Math.max(1, since) * (stageEnd * steps - done);
    const until = stageEnd < epochs ? ` until epoch ${stageEnd + 1}, when fine-tuning starts` : " left";
    const learningRates = encoderLearningRate === learningRate || encoderLearningRate === 0
      ? learningRate.toExponential(1)
      : `${learningRate.toExponential(1)} (encoder ${encoderLearningRate.toExponential(1)})`;
    const details = [
      this.#describeLoss(loss, 3),
      `learning rate ${learningRates}`,
      `gradient norm ${threeDigits(gradientNorm)}`,
      `${threeDigits(report.captionsPerSecond)} captions/s`,
      ...(since > 0 ? [duration(left) + until] : []),
      `waiting for data ${(100 * report.dataWaitFraction).toFixed(0)}%`,
    ].join(", ");
    this.#show(`Epoch ${epoch}/${epochs}`, step, steps, details);
  }

  /** Prints the metrics of a finished epoch. */
  epoch(metrics: EpochMetrics, best: boolean): void {
    this.#epochs.push(metrics);
    const { epoch, trainLoss, validationLoss, mismatchedImageLossGap, distinctFraction, bleu4, cider } = metrics;
    this.note([
      `Epoch ${epoch}/${this.#options.epochs}: train ${this.#describeLoss(trainLoss, 4)}`,
      `validation loss ${validationLoss.toFixed(4)}${best ? " (best)" : ""}`,
      `mismatched-image gap ${mismatchedImageLossGap < 0 ? "-" : "+"}${Math.abs(mismatchedImageLossGap).toFixed(2)}`,
      `${(100 * distinctFraction).toFixed(0)}% distinct captions`,
      `BLEU-4 ${bleu4.toFixed(3)}`,
      `CIDEr ${cider.toFixed(3)}`,
      duration(metrics.seconds),
      `${threeDigits(metrics.captionsPerSecond)} captions/s`,
    ].join(", "));
  }

  /** Prints a sparkline for each metric, and the path of the report. */
  summary(report: string): void {
    if (this.#epochs.length < 2) return;
    const lines = { "validation loss": "validationLoss", "BLEU-4": "bleu4", CIDEr: "cider" } as const;
    for (const [name, key] of Object.entries(lines)) {
      // Differences that are not printed are not drawn either.
      const values = this.#epochs.map((metrics) => Number(metrics[key].toFixed(3)));
      const [first = NaN, last = NaN] = [values[0], values.at(-1)];
      this.note(`${name.padEnd(15)} ${sparkline(values)}  ${first.toFixed(3)} to ${last.toFixed(3)}`);
    }
    this.note(`Curves and images: ${report}`);
  }

  #describeLoss(loss: number, digits: number): string {
    return this.#options.rewards ? `reward ${(-loss).toFixed(digits)}` : `loss ${loss.toFixed(digits)}`;
  }

  #show(task: string, done: number, total: number, details: string): void {
    if (this.#options.quiet) return;
    if (this.#options.terminal) {
      if (task !== this.#task) this.#startBar(task, total);
      this.#bar?.update(done, { details });
      if (done === total) this.#stopBar();
      return;
    }
    const part = Math.floor(done * LINES_PER_EPOCH / total);
    if (part > Math.floor((done - 1) * LINES_PER_EPOCH / total)) {
      this.#options.print(`${task}: ${done}/${total}${details === "" ? "" : `, ${details}`}`);
    }
  }

  #startBar(task: string, total: number): void {
    this.#stopBar();
    this.#task = task;
    this.#bar = new cliProgress.SingleBar({ ...BAR, format: `${task} [{bar}] {value}/{total} {details}` });
    this.#bar.start(total, 0, { details: "" });
  }

  #stopBar(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#task = "";
  }

  [Symbol.dispose](): void {
    this.#stopBar();
  }
}
