/**
 * The report of a run, in its folder.
 *
 * @module
 */

import { writeAtomic } from "../files/write_atomic.ts";
import { reportPage } from "./report_page.ts";
import { readReportedRun } from "./reported_run.ts";

/**
 * Writes one page on runs, whole or not at all.
 *
 * @param folders Their folders.
 * @param path The file.
 * @throws {InputError} If a folder holds no run, or the file cannot be written.
 */
export async function writeReport(folders: readonly string[], path: string): Promise<void> {
  const page = await reportPage(await Promise.all(folders.map(readReportedRun)));
  await writeAtomic(path, [new TextEncoder().encode(page)]);
}
