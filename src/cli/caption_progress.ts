// @ts-types="@types/cli-progress"
import cliProgress from "cli-progress";
import { duration } from "./progress_reporter.ts";

const BAR = { barsize: 24, hideCursor: true, clearOnComplete: true, fps: 5 };

/** Options of {@linkcode CaptionProgress}. */
export interface CaptionProgressOptions {
  /** Number of images, if known. */
  readonly total: number | undefined;
  /** Whether standard error is a terminal; elsewhere nothing is shown. */
  readonly terminal: boolean;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

/** A progress bar of captioned images. */
export class CaptionProgress implements Disposable {
  readonly #options: CaptionProgressOptions;
  readonly #start: number;
  #bar: cliProgress.SingleBar | undefined;
  #done = 0;

  constructor(options: CaptionProgressOptions) {
    this.#options = options;
    this.#start = options.now();
    this.#draw();
  }

  /** Counts one image; `print` runs while the bar is off the screen. */
  async advance(print: () => Promise<void>): Promise<void> {
    this.#clear();
    await print();
    this.#done++;
    this.#draw();
  }

  #draw(): void {
    const { terminal, total, now } = this.#options;
    if (!terminal || total === 1) return;
    const seconds = (now() - this.#start) / 1000;
    const speed = this.#done / seconds;
    const left = total === undefined || this.#done === 0 ? "" : `, ${duration((total - this.#done) / speed)} left`;
    const details = this.#done === 0 ? "" : `${speed.toPrecision(3)} images/s${left}`;
    const format = total === undefined ? "Captioned {value} {details}" : "Captioning [{bar}] {value}/{total} {details}";
    this.#bar = new cliProgress.SingleBar({ ...BAR, format });
    this.#bar.start(total ?? 0, this.#done, { details });
  }

  #clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  [Symbol.dispose](): void {
    this.#clear();
  }
}
