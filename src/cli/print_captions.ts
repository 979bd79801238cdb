// @ts-types="@types/cli-progress"
import cliProgress from "cli-progress";
import type { FileCaption, FileProblem } from "../captioning/caption_files.ts";
import type { ModelFacts } from "../checkpoint/model_facts.ts";
import { printable, printableLines } from "../printable.ts";
import { InputError } from "../input_error.ts";
import { duration } from "./progress_reporter.ts";

/** Options of {@linkcode CaptionOutput}. */
export interface CaptionOutputOptions {
  /** `json`: one array; `jsonl`: an object a line; `csv` and `tsv`: a table with a header. */
  readonly format: "text" | "json" | "jsonl" | TableFormat;
  /** Whether there is only one image: its name is then omitted. */
  readonly single: boolean;
  /** Whether each line has rank and log-probability. */
  readonly ranked: boolean;
  /** The model that wrote the captions, which each JSON object names. */
  readonly model: ModelFacts;
}

/** Tables of captions. */
export type TableFormat = "csv" | "tsv";

/** Formats captions as text, one after the other. */
export class CaptionOutput {
  readonly #options: CaptionOutputOptions;
  #started = false;

  constructor(options: CaptionOutputOptions) {
    this.#options = options;
  }

  /** Whether a caption was formatted. */
  get started(): boolean {
    return this.#started;
  }

  add(caption: FileCaption): string {
    const first = !this.#started;
    this.#started = true;
    const { format, model } = this.#options;
    const object = { ...caption, model };
    if (format === "jsonl") return `${printableLines(JSON.stringify(object))}\n`;
    if (format === "json") {
      return `${first ? "[\n" : ",\n"}${printableLines(JSON.stringify(object, null, 2)).replaceAll(/^/gm, "  ")}`;
    }
    if (format === "text") return this.#lines(caption);
    return `${first ? this.#header(format) : ""}${this.#rows(caption, format)}`;
  }

  /** The text after the last caption. */
  end(): string {
    if (this.#options.format !== "json") return "";
    return this.#started ? "\n]\n" : "[]\n";
  }

  #header(format: TableFormat): string {
    return tableRow(["image", "caption", ...this.#options.ranked ? ["rank", "logProbability"] : []], format);
  }

  #rows(caption: FileCaption, format: TableFormat): string {
    const { ranked } = this.#options;
    const all = ranked ? [caption, ...caption.alternatives ?? []] : [caption];
    return all.map(({ text, logProbability }, index) =>
      tableRow([caption.image, text, ...ranked ? [String(index + 1), logProbability.toFixed(4)] : []], format)
    ).join("");
  }

  #lines(caption: FileCaption): string {
    const { single, ranked } = this.#options;
    const name = single ? [] : [caption.image];
    const all = ranked ? [caption, ...caption.alternatives ?? []] : [caption];
    return all.map(({ text, logProbability }, index) => {
      const rank = ranked ? [String(index + 1), logProbability.toFixed(4)] : [];
      return `${[...name, ...rank, text].map(printable).join("\t")}\n`;
    }).join("");
  }
}

function tableRow(cells: readonly string[], format: TableFormat): string {
  if (format === "tsv") return `${cells.map(printable).join("\t")}\n`;
  const quoted = cells.map((cell) => /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return `${quoted.join(",")}\n`;
}

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

/** Options of {@linkcode printCaptions}. */
export interface PrintCaptionsOptions {
  readonly output: CaptionOutput;
  readonly progress: Pick<CaptionProgress, "advance">;
  /** Writes to standard output; throws `Deno.errors.BrokenPipe` if its reader has closed it. */
  readonly print: (text: string) => Promise<void>;
  /** Receives a line for each image without a caption. */
  readonly printProblem: (line: string) => void;
  /** Stops the source of the captions. */
  readonly stop: () => void;
  /**
   * Does something else with each caption; an `InputError` is a problem of its image.
   *
   * @default {nothing}
   */
  readonly also?: ((caption: FileCaption) => Promise<void>) | undefined;
}

/**
 * Prints captions as they come, and returns the number of images without one. Ends if the reader closes the output. If
 * something fails, a JSON array is still closed.
 */
export async function printCaptions(
  results: AsyncIterable<FileCaption | FileProblem>,
  options: PrintCaptionsOptions,
): Promise<number> {
  const { output, progress, print, printProblem, stop, also } = options;
  let problems = 0;
  const report = (problem: string) => {
    problems++;
    printProblem(`error: ${problem}`);
  };
  try {
    for await (const result of results) {
      await progress.advance(async () => {
        if ("problem" in result) return report(result.problem);
        await print(output.add(result)).catch((error) => {
          stop(); // otherwise the loop waits for the next line of standard input
          throw error;
        });
        await also?.(result).catch((error) => {
          if (!(error instanceof InputError)) throw error;
          report(error.message);
        });
      });
    }
    await print(output.end());
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return problems;
    if (output.started) await print(output.end());
    throw error;
  }
  return problems;
}
