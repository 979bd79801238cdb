/**
 * `deno task evaluate`: scores a model's captions, or those of a file.
 *
 * @module
 */

import { EXIT_INPUT, runTask, userPath } from "../src/cli/command.ts";
import { evaluateCommand } from "../src/cli/commands/evaluate.ts";
import { evaluateCheckpoint } from "../src/cli/evaluate_checkpoint.ts";
import { parseEvaluateOptions } from "../src/cli/evaluate_options.ts";
import { evaluatePredictions } from "../src/cli/evaluate_predictions.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { parseQuietOption } from "../src/cli/quiet_option.ts";
import { describeReport, reportOf } from "../src/cli/score_report.ts";
import { terminalReporter } from "../src/cli/terminal_reporter.ts";

async function main(): Promise<number> {
  const command = evaluateCommand();
  command.parse(Deno.args, { from: "user" });
  const options = parseEvaluateOptions(command.opts(), userPath);
  using interrupts = listenToInterrupts();
  using reporter = terminalReporter({ quiet: parseQuietOption(command.opts()) });
  const { signal } = interrupts;
  const evaluated = "predictions" in options
    ? await evaluatePredictions(options)
    : await evaluateCheckpoint(options, { reporter, signal });
  const report = await reportOf(evaluated, options);
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else for (const line of describeReport(report)) console.log(line);
  for (const line of evaluated.problems) console.error(`error: ${line}`);
  return evaluated.problems.length === 0 ? 0 : EXIT_INPUT;
}

Deno.exit(await runTask(main));
