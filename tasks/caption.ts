/**
 * `deno task caption`: captions images.
 *
 * @module
 */

import { Captioner } from "../src/captioning/captioner.ts";
import { captionFiles } from "../src/cli/caption_files.ts";
import { findInputs } from "../src/cli/caption_inputs.ts";
import { parseCaptionOptions } from "../src/cli/caption_options.ts";
import { CaptionOutput } from "../src/cli/caption_output.ts";
import { CaptionProgress } from "../src/cli/caption_progress.ts";
import { EXIT_INPUT, EXIT_INTERRUPTED, runTask, userPath } from "../src/cli/command.ts";
import { captionCommand } from "../src/cli/commands/caption.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { newestCheckpoint } from "../src/cli/newest_run.ts";
import { printCaptions } from "../src/cli/print_captions.ts";
import { parseQuietOption } from "../src/cli/quiet_option.ts";

async function print(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
}

async function main(): Promise<number> {
  const command = captionCommand();
  command.parse(Deno.args, { from: "user" });
  const given = command.opts();
  const { checkpoint, vocabulary, engine, recursive, maxPixels, format, decoding } = parseCaptionOptions(given);
  const checkpoints = checkpoint.length > 0
    ? checkpoint.map((path) => userPath(path))
    : [await newestCheckpoint(userPath("runs"))];

  using interrupts = listenToInterrupts();
  using captioner = await Captioner.load(checkpoints, { ...engine, vocabulary: vocabulary && userPath(vocabulary) });
  const stopped = new AbortController();
  const signal = AbortSignal.any([interrupts.signal, stopped.signal]);
  const inputs = await findInputs(command.args, {
    path: userPath,
    standardInput: Deno.stdin.readable,
    recursive,
    signal,
  });
  if (signal.aborted) return EXIT_INTERRUPTED;
  const { images, total, single } = inputs;
  const terminal = !parseQuietOption(given) && Deno.stderr.isTerminal();
  using progress = new CaptionProgress({ total, terminal, now: () => performance.now() });
  const options = { ...decoding, maxPixels, live: total === undefined, signal };
  const problems = await printCaptions(captionFiles(captioner, images, options), {
    output: new CaptionOutput({ format, single, ranked: (decoding.nBest ?? 1) > 1 }),
    ...{ progress, print, printProblem: console.error, stop: () => stopped.abort() },
  });
  if (interrupts.signal.aborted) return EXIT_INTERRUPTED;
  return problems === 0 ? 0 : EXIT_INPUT;
}

Deno.exit(await runTask(main));
