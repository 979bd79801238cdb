import { basename } from "node:path";
import { reportPage } from "../report/report_page.ts";
import { InputError } from "../input_error.ts";
import { readReportedRun, type ReportedRun } from "../report/reported_run.ts";
import type { ShownRun } from "./app.ts";
import { Problem } from "./problem.ts";

/**
 * Opens a run folder. Its files are read each time, so that a run in progress stays current.
 *
 * @throws {InputError} If the folder does not hold a run.
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

/** A run that has disappeared is not the client's error. */
async function readAnew(path: string): Promise<ReportedRun> {
  try {
    return await readReportedRun(path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new Problem(503, `The run '${basename(path)}' cannot be read any more`);
  }
}
