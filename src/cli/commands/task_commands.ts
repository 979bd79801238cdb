import type { Command } from "commander";
import { buildCommand } from "./build.ts";
import { cacheCommand } from "./cache.ts";
import { captionCommand } from "./caption.ts";
import { doctorCommand } from "./doctor.ts";
import { evaluateCommand } from "./evaluate.ts";
import { explainCommand } from "./explain.ts";
import { exportCommand } from "./export.ts";
import { inspectCommand } from "./inspect.ts";
import { reportCommand } from "./report.ts";
import { retrieveCommand } from "./retrieve.ts";
import { serveCommand } from "./serve.ts";
import { tokenizeCommand } from "./tokenize.ts";
import { trainCommand } from "./train.ts";

/** Creates the command of each task, by its name in `deno.json`. */
export const TASK_COMMANDS: Readonly<Record<string, () => Command>> = {
  build: buildCommand,
  train: trainCommand,
  caption: captionCommand,
  explain: explainCommand,
  evaluate: evaluateCommand,
  retrieve: retrieveCommand,
  serve: serveCommand,
  inspect: inspectCommand,
  export: exportCommand,
  cache: cacheCommand,
  report: reportCommand,
  doctor: doctorCommand,
  tokenize: tokenizeCommand,
};
