/**
 * `deno task evaluate`: scores a model's captions, or those of a file.
 *
 * @module
 */

import { createCommand, EXIT_INPUT, runTask, userPath } from "../src/cli/command.ts";
import { evaluateCheckpoint } from "../src/cli/evaluate_checkpoint.ts";
import { addEvaluateOptions, parseEvaluateOptions } from "../src/cli/evaluate_options.ts";
import { evaluatePredictions } from "../src/cli/evaluate_predictions.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { describeReport, reportOf } from "../src/cli/score_report.ts";
import { TrainingReporter } from "../src/cli/training_reporter.ts";

async function main(): Promise<number> {
  const command = addEvaluateOptions(createCommand("evaluate", "Scores captions against people's."));
  command.parse(Deno.args, { from: "user" });
  const options = parseEvaluateOptions(command.opts(), userPath);
  using interrupts = listenToInterrupts();
  using reporter = new TrainingReporter({
    epochs: 0,
    terminal: Deno.stderr.isTerminal(),
    print: console.error,
    now: () => performance.now(),
  });
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
