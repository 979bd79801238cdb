import { EXIT_INPUT, runTask, userPath } from "../src/cli/command.ts";
import { retrieveCommand } from "../src/cli/commands/retrieve.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { describeRetrieval, retrieveInDataset, searchImages } from "../src/cli/retrieve.ts";
import { parseRetrieveOptions } from "../src/cli/retrieve_options.ts";
import { loadTaskModel } from "../src/cli/task_model.ts";
import { terminalReporter } from "../src/cli/terminal_reporter.ts";
import { printable } from "../src/printable.ts";
import { printLine, printNote } from "../src/cli/output.ts";

async function main(): Promise<number> {
  const command = retrieveCommand();
  command.parse(Deno.args, { from: "user" });
  const options = parseRetrieveOptions(command.opts(), userPath);
  using interrupts = listenToInterrupts();
  using reporter = terminalReporter();
  const { checkpoint, vocabulary, engine, json } = options;
  using model = await loadTaskModel(checkpoint === undefined ? [] : [checkpoint], { ...engine, vocabulary });
  const { captioner, facts } = model;
  const context = { reporter, signal: interrupts.signal };

  async function answer() {
    if ("query" in options) {
      const { found, problems } = await searchImages(captioner, options, context);
      const lines = found.map(({ image, logProbability }) => `${logProbability.toFixed(2)}\t${printable(image)}`);
      return { value: found.map((image) => ({ ...image, model: facts })), lines, problems };
    }
    const { report, problems } = await retrieveInDataset(captioner, options, context);
    return { value: { ...report, model: facts }, lines: describeRetrieval(report), problems };
  }

  const { value, lines, problems } = await answer();
  if (json) printLine(JSON.stringify(value, null, 2));
  else for (const line of lines) printLine(line);
  for (const line of problems) printNote(`error: ${line}`);
  return problems.length === 0 ? 0 : EXIT_INPUT;
}

Deno.exit(await runTask(main));
