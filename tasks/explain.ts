import { runTask, userPath } from "../src/cli/command.ts";
import { explainCommand } from "../src/cli/commands/explain.ts";
import {
  describeExplanation,
  explainImage,
  explanationFolder,
  explanationJson,
  writeHeatMaps,
} from "../src/cli/explain_image.ts";
import { parseExplainOptions } from "../src/cli/explain_options.ts";
import { loadTaskModel } from "../src/cli/task_model.ts";
import { printable } from "../src/printable.ts";
import { printLine } from "../src/cli/output.ts";

async function main(): Promise<number> {
  const command = explainCommand();
  command.parse(Deno.args, { from: "user" });
  const { checkpoint, vocabulary, engine, out, json, ...options } = parseExplainOptions(command.opts());
  const [image = ""] = command.args;
  using model = await loadTaskModel(checkpoint === undefined ? [] : [checkpoint], { ...engine, vocabulary });
  const explained = await explainImage(model.captioner, userPath(image), options);
  const folder = out ?? explanationFolder(image);
  const heatMaps = await writeHeatMaps(explained, userPath(folder));
  if (json) {
    printLine(JSON.stringify({ image, ...explanationJson(explained, heatMaps), model: model.facts }));
    return 0;
  }
  for (const line of describeExplanation(explained)) printLine(line);
  printLine(`\n${heatMaps.length} heat maps: ${printable(folder)}`);
  return 0;
}

Deno.exit(await runTask(main));
