import type { Command } from "commander";
import { findInputs } from "../src/images/find_inputs.ts";
import { parseCaptionOptions } from "../src/cli/caption_options.ts";
import { captionTogether } from "../src/captioning/caption_files.ts";
import { Sidecars } from "../src/captioning/sidecars.ts";
import { EXIT_INPUT, EXIT_INTERRUPTED, parseQuietOption, runTask, userPath } from "../src/cli/command.ts";
import { captionCommand } from "../src/cli/commands/caption.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { openCaptionFile } from "../src/cli/caption_file.ts";
import { CaptionOutput, CaptionProgress, printCaptions } from "../src/cli/print_captions.ts";
import { withProcessGroup } from "../src/cli/process_group.ts";
import { loadTaskModel } from "../src/cli/task_model.ts";
import { assertSameOnAllRanks } from "../src/distributed/assert_same.ts";
import type { TrainingGroup } from "../src/distributed/process_group.ts";
import { printNote, writeOutput } from "../src/cli/output.ts";

async function main(): Promise<number> {
  const command = captionCommand();
  command.parse(Deno.args, { from: "user" });
  return await withProcessGroup(command.opts(), (group) => caption(command, group));
}

async function caption(command: Command, group: TrainingGroup): Promise<number> {
  const given = command.opts();
  const isFirst = group.rank === 0;
  const options = parseCaptionOptions(given);
  const { checkpoint, vocabulary, engine, recursive, maxPixels, format, decoding, sidecar, force } = options;
  const quiet = parseQuietOption(given);
  const out = options.out === undefined ? undefined : userPath(options.out);
  if (out === undefined && sidecar === undefined) await Deno.permissions.revoke({ name: "write" });

  await using file = out !== undefined && isFirst
    ? await openCaptionFile(out, { force, note: quiet ? () => {} : printNote })
    : undefined;

  using interrupts = listenToInterrupts(isFirst ? undefined : null);
  using model = await loadTaskModel(checkpoint, {
    ...engine,
    gpu: group.localRank,
    vocabulary,
    print: isFirst ? printNote : () => {},
    quiet,
  });
  const { captioner, facts } = model;
  const stopped = new AbortController();
  const signal = AbortSignal.any([interrupts.signal, stopped.signal]);
  await assertSameOnAllRanks(group, { "the checkpoint": captioner.metadata, "the images": command.args, decoding });
  const inputs = await findInputs(command.args, {
    path: userPath,
    standardInput: Deno.stdin.readable,
    recursive,
    signal,
  });
  if (signal.aborted) return EXIT_INTERRUPTED;
  const { images, total, single } = inputs;
  const terminal = isFirst && !quiet && Deno.stderr.isTerminal();
  using progress = new CaptionProgress({ total, terminal, now: () => performance.now() });
  const results = captionTogether(captioner, images, {
    ...decoding,
    maxPixels,
    live: total === undefined,
    signal,
    group,
  });
  const sidecars = sidecar === undefined ? undefined : new Sidecars({ kind: sidecar, force });
  const problems = await printCaptions(results, {
    output: new CaptionOutput({ format, single, ranked: (decoding.nBest ?? 1) > 1, model: facts }),
    progress,
    stop: () => stopped.abort(),
    print: !isFirst ? () => Promise.resolve() : file === undefined ? writeOutput : (text) => file.add(text),
    also: sidecars && (({ image, text }) => sidecars.write(image === "-" ? undefined : userPath(image), text)),
    printProblem: isFirst ? printNote : () => {},
  });
  if (interrupts.signal.aborted) return EXIT_INTERRUPTED;
  file?.complete();
  return problems === 0 ? 0 : EXIT_INPUT;
}

Deno.exit(await runTask(main));
