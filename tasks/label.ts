import { basename, dirname, join, relative } from "node:path";
import { modelWarning } from "../src/checkpoint/model_facts.ts";
import { runTask, userPath } from "../src/cli/command.ts";
import { labelCommand } from "../src/cli/commands/label.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { parseLabelOptions } from "../src/cli/label_options.ts";
import { searchedFolder } from "../src/cli/searched_folder.ts";
import { shellWord } from "../src/cli/shell_word.ts";
import { loadTaskModel, nameOf } from "../src/cli/task_model.ts";
import { fileErrorReason } from "../src/files/file_error.ts";
import { ImageDecoders } from "../src/images/image_decoders.ts";
import { InputError } from "../src/input_error.ts";
import { printable, quoted } from "../src/printable.ts";
import { createLabelApp } from "../src/server/label/label_app.ts";
import { canLabel, checkNames, LabelsFile } from "../src/server/label/labels_file.ts";
import { startLabelsWriter } from "../src/server/label/labels_writer.ts";
import { Proposals } from "../src/server/label/proposals.ts";
import { hostnamesOf, listen } from "../src/server/listen.ts";
import { printLine, printNote } from "../src/cli/output.ts";

const LIMITS = { bytes: 1e6, requests: 256, seconds: 60 };

async function main(): Promise<number> {
  const command = labelCommand();
  command.parse(Deno.args, { from: "user" });
  const options = parseLabelOptions(command.opts());
  const { checkpoint, vocabulary, engine, recursive, port, maxPixels } = options;
  const path = await realFile(userPath(options.labels));
  // Before anything else, as it gives up the permission to write elsewhere.
  using writer = await startLabelsWriter(dirname(path));
  using interrupts = listenToInterrupts("Stopping after the requests in progress");
  const { signal } = interrupts;
  const labels = new LabelsFile(path, writer.write);
  const written = await labels.read();
  const folder = userPath(options.images);
  const { files, problems } = await searchedFolder(folder, { recursive, signal });
  const all = files.map(({ path }) => ({ path, name: relative(folder, path) }));
  const images = all.filter(({ name }) => canLabel(name));
  const unusable = all.filter(({ name }) => !canLabel(name))
    .map(({ name }) => `Skipped ${quoted(name)}: training cannot find a file of this name; rename it`);
  const others = checkNames(written.keys(), images.map(({ name }) => name), { labels: path, folder });
  for (const problem of [...problems.map(printable), ...unusable, ...others]) printNote(problem);

  using model = await loadTaskModel(checkpoint === undefined ? [] : [checkpoint], { ...engine, vocabulary });
  const { captioner, facts, paths } = model;
  using decoders = new ImageDecoders();
  const proposals = new Proposals({ model: captioner, decoders, images, maxPixels, signal });
  const from = captioner.metadata.recipe === "notebook" ? [] : ["--init-from", nameOf(paths[0] ?? "")];
  const training = [...from, "--data", nameOf(userPath(options.labels)), "--images", nameOf(folder)];
  const app = createLabelApp({
    about: { ...facts, warning: modelWarning({ name: facts.name, metadata: captioner.metadata }) },
    command: `deno task train ${training.map(shellWord).join(" ")}`,
    names: images.map(({ name }) => name),
    proposals,
    labels,
    folder: await Deno.realPath(folder),
    limits: { ...LIMITS, pixels: maxPixels },
    hostnames: hostnamesOf(),
    signal,
    onError: (error) => printNote(`internal error: ${error instanceof Error ? error.stack : String(error)}`),
  });
  await listen(app, {
    host: "127.0.0.1",
    port,
    signal,
    grace: LIMITS.seconds,
    onListen: (url) => printLine(`${url}  (Ctrl-C to stop)`),
    onPause: (reason) => printNote(`error: ${reason}`),
  });
  await proposals.done; // before the model is freed
  return 0;
}

/** The file behind links, which are not to be replaced by a file. Its folder must exist, but it need not. */
async function realFile(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw cannotLabel(path, error);
  }
  try {
    return join(await Deno.realPath(dirname(path)), basename(path));
  } catch (error) {
    throw cannotLabel(dirname(path), error);
  }
}

function cannotLabel(path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotCapable) return error;
  return new InputError(`Cannot label: '${printable(path)}' cannot be used, ${fileErrorReason(error)}`);
}

Deno.exit(await runTask(main));
