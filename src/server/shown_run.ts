/**
 * A training run as the page shows it.
 *
 * @module
 */

import { basename } from "node:path";
import { reportPage } from "../report/report_page.ts";
import { readReportedRun } from "../report/reported_run.ts";
import type { ShownRun } from "./app.ts";

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
      const { name, settings, epochs } = await readReportedRun(path);
      return { name, settings: { ...settings }, epochs: epochs.map((epoch) => ({ ...epoch })) };
    },
    async report() {
      return await reportPage([await readReportedRun(path)]);
    },
  };
}
