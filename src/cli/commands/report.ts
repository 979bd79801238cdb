/**
 * The command `report`.
 *
 * @module
 */

import type { Command } from "commander";
import { createCommand } from "../command.ts";

/** Makes the command `deno task report`. */
export function reportCommand(): Command {
  return createCommand("report", "Writes a page on one run, or compares several in one.", {
    examples: ["deno task report runs/first", "deno task report runs/first runs/second --out both.html"],
  })
    .argument("<runs...>", "folders of runs")
    .option("--out <file>", "the page (default: report.html in the run, or of several in the folder you stand in)");
}
