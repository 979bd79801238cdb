import { writeAtomic } from "../files/write_atomic.ts";
import { reportPage } from "./report_page.ts";
import { readReportedRun } from "./reported_run.ts";

/**
 * Writes the report of several runs atomically.
 *
 * @throws {InputError} If a folder does not hold a run, or the file cannot be written.
 */
export async function writeReport(folders: readonly string[], path: string): Promise<void> {
  const page = await reportPage(await Promise.all(folders.map(readReportedRun)));
  await writeAtomic(path, [new TextEncoder().encode(page)]);
}
