import { basename } from "node:path";
import { reportPage } from "../report/report_page.ts";
import { InputError } from "../input_error.ts";
import { readReportedRun, type ReportedRun } from "../report/reported_run.ts";
import type { ShownRun } from "./app.ts";
import { printable } from "../printable.ts";
import { Problem } from "./problem.ts";

/**
 * Opens a run folder, which need not exist yet. Its files are read each time, so that a run in progress stays current.
 *
 * @param warn Receives a line if the run has not begun.
 * @throws {InputError} If the folder holds something else.
 */
export async function openRun(path: string, warn: (line: string) => void): Promise<ShownRun> {
  if (!await isEmpty(path)) await readReportedRun(path);
  else warn(`There is no run in '${printable(path)}' yet; the page shows it once its training begins`);
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

/** Whether there is nothing at a path, or an empty folder. */
async function isEmpty(path: string): Promise<boolean> {
  try {
    return (await Array.fromAsync(Deno.readDir(path))).length === 0;
  } catch (error) {
    return error instanceof Deno.errors.NotFound; // its reader says what else is wrong
  }
}

/** A run that has not begun, or that was removed, is not the client's error. */
async function readAnew(path: string): Promise<ReportedRun> {
  try {
    return await readReportedRun(path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new Problem(503, `There is no run '${basename(path)}' now: its training has not begun, or it was removed`);
  }
}
