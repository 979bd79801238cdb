import type { Command } from "commander";
import { createCommand } from "../command.ts";

export function reportCommand(): Command {
  return createCommand("report", "Writes an HTML report on one run, or compares several in one.", {
    examples: ["deno task report runs/first", "deno task report runs/first runs/second --out both.html"],
  })
    .argument("<runs...>", "run folders")
    .option(
      "--out <file>",
      "file for the report (default: report.html in the run's folder; for several, in the working directory)",
    );
}
