import type { Command } from "commander";
import { createCommand } from "../command.ts";

export function runsCommand(): Command {
  return createCommand("runs", "Lists runs: date, name, encoder, epochs, CIDEr, size.", {
    examples: ["deno task runs", "deno task runs --json path/to/runs"],
  })
    .argument("[folder]", "folder of runs", "runs")
    .option("--json", "print one JSON array")
    .addHelpText("after", "\n--checkpoint NAME of the other tasks takes a run's best checkpoint.");
}
