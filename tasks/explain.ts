/**
 * `deno task explain`: shows what of an image speaks for each word of its caption.
 *
 * @module
 */

import { Captioner } from "../src/captioning/captioner.ts";
import { runTask, userPath } from "../src/cli/command.ts";
import { explainCommand } from "../src/cli/commands/explain.ts";
import {
  describeExplanation,
  explainImage,
  explanationFolder,
  explanationJson,
  writePictures,
} from "../src/cli/explain_image.ts";
import { parseExplainOptions } from "../src/cli/explain_options.ts";
import { newestCheckpoint } from "../src/pipeline/newest_run.ts";
import { printable } from "../src/printable.ts";

async function main(): Promise<number> {
  const command = explainCommand();
  command.parse(Deno.args, { from: "user" });
  const { checkpoint, vocabulary, engine, out, json, ...options } = parseExplainOptions(command.opts());
  const [image = ""] = command.args;
  const path = checkpoint === undefined ? await newestCheckpoint(userPath("runs")) : userPath(checkpoint);
  using captioner = await Captioner.load(path, { ...engine, vocabulary: vocabulary && userPath(vocabulary) });
  const explained = await explainImage(captioner, userPath(image), options);
  const folder = out ?? explanationFolder(image);
  const pictures = await writePictures(explained, userPath(folder));
  if (json) {
    console.log(JSON.stringify({ image, ...explanationJson(explained, pictures) }));
    return 0;
  }
  for (const line of describeExplanation(explained)) console.log(line);
  console.log(`\nPictures: ${printable(folder)}, ${pictures.length} of them`);
  return 0;
}

Deno.exit(await runTask(main));
