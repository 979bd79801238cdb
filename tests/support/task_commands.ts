import type { Command } from "commander";
import { buildCommand } from "../../src/cli/commands/build.ts";
import { cacheCommand } from "../../src/cli/commands/cache.ts";
import { captionCommand } from "../../src/cli/commands/caption.ts";
import { doctorCommand } from "../../src/cli/commands/doctor.ts";
import { evaluateCommand } from "../../src/cli/commands/evaluate.ts";
import { explainCommand } from "../../src/cli/commands/explain.ts";
import { exportCommand } from "../../src/cli/commands/export.ts";
import { inspectCommand } from "../../src/cli/commands/inspect.ts";
import { reportCommand } from "../../src/cli/commands/report.ts";
import { labelCommand } from "../../src/cli/commands/label.ts";
import { retrieveCommand } from "../../src/cli/commands/retrieve.ts";
import { runsCommand } from "../../src/cli/commands/runs.ts";
import { serveCommand } from "../../src/cli/commands/serve.ts";
import { tokenizeCommand } from "../../src/cli/commands/tokenize.ts";
import { trainCommand } from "../../src/cli/commands/train.ts";

/** Creates the command of each task, by its name in `deno.json`. */
export const TASK_COMMANDS: Readonly<Record<string, () => Command>> = {
  build: buildCommand,
  train: trainCommand,
  caption: captionCommand,
  explain: explainCommand,
  evaluate: evaluateCommand,
  retrieve: retrieveCommand,
  serve: serveCommand,
  label: labelCommand,
  inspect: inspectCommand,
  export: exportCommand,
  cache: cacheCommand,
  report: reportCommand,
  runs: runsCommand,
  doctor: doctorCommand,
  tokenize: tokenizeCommand,
};
