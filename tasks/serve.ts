import { relative, sep } from "node:path";
import { runTask, userPath } from "../src/cli/command.ts";
import { serveCommand } from "../src/cli/commands/serve.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { searchedFolder } from "../src/cli/searched_folder.ts";
import { parseServeOptions } from "../src/cli/serve_options.ts";
import { loadTaskModel } from "../src/cli/task_model.ts";
import { modelWarning } from "../src/checkpoint/model_facts.ts";
import { ImageDecoders } from "../src/images/image_decoders.ts";
import { createApp } from "../src/server/app.ts";
import { hostnamesOf, listen, onAllNetworks } from "../src/server/listen.ts";
import { ImageSearch } from "../src/evaluation/image_search.ts";
import { openRun } from "../src/server/shown_run.ts";
import { printLine, printNote } from "../src/cli/output.ts";

async function main(): Promise<number> {
  const command = serveCommand();
  command.parse(Deno.args, { from: "user" });
  const options = parseServeOptions(command.opts());
  const { checkpoint, vocabulary, engine, images, recursive, run, host, allowHost, port, limits } = options;

  using interrupts = listenToInterrupts("Stopping after the requests in progress");
  const { signal } = interrupts;
  const shown = run === undefined ? undefined : await openRun(userPath(run), printNote);
  const folder = images === undefined ? undefined : await searchedFolder(userPath(images), { recursive, signal });
  using model = await loadTaskModel(checkpoint === undefined ? [] : [checkpoint], { ...engine, vocabulary });
  const { captioner, facts } = model;
  const name = lastParts(facts.name);
  if (folder !== undefined) captioner.encodeCaption(""); // throws if the model cannot search
  using decoders = new ImageDecoders();
  const files = folder?.files.map(({ path }) => ({ path, name: relative(userPath(images ?? ""), path) }));
  const search = files && new ImageSearch(captioner, files, { maxPixels: limits.pixels, signal });
  search?.ready.then((problems) => {
    for (const problem of [...folder?.problems ?? [], ...problems]) printNote(problem);
  }, (error) => signal.aborted || printNote(`error: ${error instanceof Error ? error.message : error}`));

  const app = createApp({
    model: captioner,
    about: { ...facts, name, warning: modelWarning({ name, metadata: captioner.metadata }) },
    decoders,
    limits,
    search,
    folder: images === undefined ? undefined : await Deno.realPath(userPath(images)),
    run: shown,
    hostnames: hostnamesOf(allowHost),
    addresses: onAllNetworks(host),
    signal,
    onError: (error) => printNote(`internal error: ${error instanceof Error ? error.stack : String(error)}`),
  });
  await listen(app, {
    host,
    port,
    signal,
    grace: limits.seconds,
    onListen: (url) => printLine(`${url}  (Ctrl-C to stop)`),
    onPause: (reason) => printNote(`error: ${reason}`),
  });
  await search?.ready.catch(() => {}); // before the model is freed
  return 0;
}

/** The end of a path: clients need not know where on this machine the model is. */
function lastParts(path: string): string {
  return path.split(sep).slice(-2).join("/");
}

Deno.exit(await runTask(main));
