import { EXIT_INPUT, parseQuietOption, runTask, userPath } from "../src/cli/command.ts";
import { checkpointPath } from "../src/cli/checkpoint_path.ts";
import { evaluateCommand } from "../src/cli/commands/evaluate.ts";
import { evaluateCheckpoint } from "../src/evaluation/evaluate_checkpoint.ts";
import { parseEvaluateOptions } from "../src/cli/evaluate_options.ts";
import { evaluatePredictions } from "../src/evaluation/evaluate_predictions.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { withProcessGroup } from "../src/cli/process_group.ts";
import { describeReport, reportOf } from "../src/cli/score_report.ts";
import { terminalReporter } from "../src/cli/terminal_reporter.ts";
import type { TrainingGroup } from "../src/distributed/process_group.ts";
import { printLine, printNote } from "../src/cli/output.ts";

async function main(): Promise<number> {
  const command = evaluateCommand();
  command.parse(Deno.args, { from: "user" });
  return await withProcessGroup(command.opts(), (group) => evaluate(command.opts(), group));
}

async function evaluate(given: Readonly<Record<string, unknown>>, group: TrainingGroup): Promise<number> {
  const isFirst = group.rank === 0;
  const options = parseEvaluateOptions(given, userPath);
  using interrupts = listenToInterrupts(isFirst ? undefined : null);
  using reporter = terminalReporter({ quiet: parseQuietOption(given) || !isFirst });
  const { signal } = interrupts;
  const evaluated = "predictions" in options
    ? await evaluatePredictions(options)
    : await evaluateCheckpoint({ ...options, checkpoint: await pathsOf(options.checkpoint) }, {
      reporter,
      signal,
      group,
    });
  if (!isFirst) return 0;
  const report = await reportOf(evaluated, options);
  if (options.json) printLine(JSON.stringify(report, null, 2));
  else for (const line of describeReport(report)) printLine(line);
  for (const line of evaluated.problems) printNote(`error: ${line}`);
  return evaluated.problems.length === 0 ? 0 : EXIT_INPUT;
}

async function pathsOf(checkpoints: readonly string[]): Promise<string[]> {
  return await Promise.all(checkpoints.map((given) => checkpointPath(given)));
}

Deno.exit(await runTask(main));
