import { readRegularText } from "../files/open_file.ts";
import { writeAtomic } from "../files/write_atomic.ts";
import type { StepReport } from "./meter.ts";

/** Far more than millions of steps write. */
const MAX_BYTES = 512 * 2 ** 20;

/** A position in a run: an epoch from 1, and the steps of it that are done. */
export interface StepPosition {
  readonly epoch: number;
  readonly step: number;
}

/** Writes `steps.jsonl`, a line for each training step, as training goes. */
export class StepLog implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Opens the file. Lines after the position are removed: a resumed run writes them again.
   *
   * @param from Where training starts.
   */
  static async open(path: string, from: StepPosition): Promise<StepLog> {
    const text = await readRegularText(path, MAX_BYTES).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    });
    const kept = text.split("\n").filter((line) => isBefore(line, from));
    await writeAtomic(path, [new TextEncoder().encode(kept.map((line) => `${line}\n`).join(""))]);
    return new StepLog(await Deno.open(path, { append: true }));
  }

  step({ epoch, step, stepLoss, learningRate, encoderLearningRate, gradientNorm }: StepReport): void {
    const values = { epoch, step, loss: stepLoss, learningRate, encoderLearningRate, gradientNorm };
    const bytes = new TextEncoder().encode(`${JSON.stringify(values)}\n`);
    for (let written = 0; written < bytes.length;) written += this.#file.writeSync(bytes.subarray(written));
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Whether a line is complete and of a step that is done. */
function isBefore(line: string, { epoch, step }: StepPosition): boolean {
  const [, lineEpoch, lineStep] = line.match(/^\{"epoch":(\d+),"step":(\d+),.*\}$/) ?? [];
  if (lineEpoch === undefined || lineStep === undefined) return false;
  return Number(lineEpoch) < epoch || (Number(lineEpoch) === epoch && Number(lineStep) <= step);
}
