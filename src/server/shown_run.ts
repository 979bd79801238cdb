/**
 * A training run as the page shows it.
 *
 * @module
 */

import { basename } from "node:path";
import { reportPage } from "../report/report_page.ts";
import { InputError } from "../input_error.ts";
import { readReportedRun, type ReportedRun } from "../report/reported_run.ts";
import type { ShownRun } from "./app.ts";
import { Problem } from "./problem.ts";

/**
 * Opens a run's folder. Its files are read anew each time, so that a run which goes on is shown as it goes.
 *
 * @param path The folder.
 * @returns The run.
 * @throws {InputError} If the folder holds no run.
 */
export async function openRun(path: string): Promise<ShownRun> {
  await readReportedRun(path);
  return {
    name: basename(path),
    async read() {
      const { name, settings, epochs } = await readAnew(path);
      return { name, settings: { ...settings }, epochs: epochs.map((epoch) => ({ ...epoch })) };
    },
    async report() {
      return await reportPage([await readAnew(path)]);
    },
  };
}

/** A run that was there and is not any more is nothing that whoever asks could mend. */
async function readAnew(path: string): Promise<ReportedRun> {
  try {
    return await readReportedRun(path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new Problem(503, `The run '${basename(path)}' cannot be read any more`);
  }
}
