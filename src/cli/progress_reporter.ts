/**
 * What a training run shows: bars on a terminal, plain lines elsewhere.
 *
 * @module
 */

// @ts-types="@types/cli-progress"
import cliProgress from "cli-progress";
import type { EpochMetrics, StepReport } from "../pipeline/train.ts";
import type { TrainingReporter } from "../pipeline/training_run.ts";
import { sparkline } from "./sparkline.ts";

const LINES_PER_EPOCH = 4;
/** How lines begin that are shown though all others are not wanted. */
const MUST_KNOW = /^(?:Warning|Left out|Stopped|No pretrained weights)\b/;
const BAR = { barsize: 24, hideCursor: true, clearOnComplete: true, fps: 5 };

/** A number with three digits. */
function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Seconds as people write them. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** Where a {@linkcode ProgressReporter} writes. */
export interface ProgressReporterOptions {
  /** Epochs of the run, for the time left. */
  readonly epochs: number;
  /**
   * Whether the training loss is a reward with a minus, as in self-critical training.
   *
   * @default {false}
   */
  readonly rewards?: boolean;
  /** Whether bars can be drawn. */
  readonly terminal: boolean;
  /**
   * Whether only what the user must know is shown: warnings, and what is left out.
   *
   * @default {false}
   */
  readonly quiet?: boolean;
  /** Takes a line. */
  readonly print: (line: string) => void;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
}

/** Shows a training run. */
export class ProgressReporter implements TrainingReporter, Disposable {
  readonly #options: ProgressReporterOptions;
  #bar: cliProgress.SingleBar | undefined;
  #task = "";
  readonly #epochs: EpochMetrics[] = [];
  #first: { readonly done: number; readonly time: number; readonly stageEnd: number } | undefined;

  /** @param options Where it writes. */
  constructor(options: ProgressReporterOptions) {
    this.#options = options;
  }

  /** A line above the bar. */
  note(line: string): void {
    if (this.#options.quiet && !MUST_KNOW.test(line)) return;
    this.#stopBar();
    this.#options.print(line);
  }

  /** Draws the bar of something counted, or a line now and then. */
  progress(task: string, done: number, total: number): void {
    this.#show(task, done, total, "");
  }

  /** Draws loss, speed, time left and the share of time spent waiting for data. */
  step(report: StepReport): void {
    const { epoch, stageEnd, step, steps, loss, learningRate, encoderLearningRate, gradientNorm } = report;
    const { epochs, now } = this.#options;
    const done = (epoch - 1) * steps + step;
    if (this.#first?.stageEnd !== stageEnd) this.#first = { done, time: now(), stageEnd };
    const since = done - this.#first.done;
    const left = (now() - this.#first.time) / 1000 / Math.max(1, since) * (stageEnd * steps - done);
    const until = stageEnd < epochs ? ` until epoch ${stageEnd + 1}, when the CNN learns` : " left";
    const rates = encoderLearningRate === learningRate || encoderLearningRate === 0
      ? learningRate.toExponential(1)
      : `${learningRate.toExponential(1)} (CNN ${encoderLearningRate.toExponential(1)})`;
    const details = [
      this.#learnt(loss, 3),
      `rate ${rates}`,
      `gradient ${short(gradientNorm)}`,
      `${short(report.captionsPerSecond)} captions/s`,
      ...(since > 0 ? [duration(left) + until] : []),
      `waiting for data ${(100 * report.dataWaitFraction).toFixed(0)}%`,
    ].join(", ");
    this.#show(`Epoch ${epoch}/${epochs}`, step, steps, details);
  }

  /** A line for a finished epoch. */
  epoch(metrics: EpochMetrics, best: boolean): void {
    this.#epochs.push(metrics);
    const { epoch, trainLoss, validationLoss, mismatchedImageLossGap, distinctFraction, bleu4, cider } = metrics;
    this.note([
      `Epoch ${epoch}/${this.#options.epochs}: train ${this.#learnt(trainLoss, 4)}`,
      `validation loss ${validationLoss.toFixed(4)}${best ? " (best)" : ""}`,
      `with another image ${mismatchedImageLossGap < 0 ? "-" : "+"}${Math.abs(mismatchedImageLossGap).toFixed(2)}`,
      `${(100 * distinctFraction).toFixed(0)}% distinct captions`,
      `BLEU-4 ${bleu4.toFixed(3)}`,
      `CIDEr ${cider.toFixed(3)}`,
      duration(metrics.seconds),
      `${short(metrics.captionsPerSecond)} captions/s`,
    ].join(", "));
  }

  /** The curves of the epochs that were trained, and where the report on them is. */
  summary(report: string): void {
    if (this.#epochs.length < 2) return;
    const lines = { "validation loss": "validationLoss", "BLEU-4": "bleu4", CIDEr: "cider" } as const;
    for (const [name, key] of Object.entries(lines)) {
      const values = this.#epochs.map((metrics) => metrics[key]);
      const [first = NaN, last = NaN] = [values[0], values.at(-1)];
      this.note(`${name.padEnd(15)} ${sparkline(values)}  ${first.toFixed(3)} to ${last.toFixed(3)}`);
    }
    this.note(`Curves and images: ${report}`);
  }

  #learnt(loss: number, digits: number): string {
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

  /** Takes the bar away. */
  [Symbol.dispose](): void {
    this.#stopBar();
  }
}
