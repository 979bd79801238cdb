import { EXPORT_FORMATS, EXPORT_TYPE_NAMES, exportModel } from "../src/checkpoint/export_model.ts";
import { runTask, userPath } from "../src/cli/command.ts";
import { checkpointPath } from "../src/cli/checkpoint_path.ts";
import { exportCommand } from "../src/cli/commands/export.ts";
import { readMetrics } from "../src/cli/read_metrics.ts";
import { defaultCheckpoint } from "../src/pipeline/default_checkpoint.ts";
import { InputError } from "../src/input_error.ts";
import { z } from "zod";
import { printLine, printNote } from "../src/cli/output.ts";

const schema = z.object({
  checkpoint: z.string().optional(),
  format: z.enum(EXPORT_FORMATS).optional(),
  dtype: z.enum(EXPORT_TYPE_NAMES).optional(),
  out: z.string(),
  average: z.string().optional(),
  fraction: z.number().optional(),
  scores: z.string().optional(),
  vocabulary: z.string().optional(),
  force: z.boolean().default(false),
});

async function main(): Promise<number> {
  const command = exportCommand();
  command.parse(Deno.args, { from: "user" });
  const { checkpoint, out, format, dtype, average, fraction, scores, vocabulary, force } = schema.parse(command.opts());
  if (average === undefined && fraction !== undefined) {
    throw new InputError("Cannot use --fraction without --average, the checkpoint whose fraction it is; add that");
  }
  const path = checkpoint === undefined ? await defaultPath() : await checkpointPath(checkpoint);
  const written = await exportModel(path, {
    out: userPath(out),
    format,
    dtype,
    average: average === undefined
      ? undefined
      : { checkpoint: await checkpointPath(average), fraction: fraction ?? 0.5 },
    metrics: scores === undefined ? undefined : await readMetrics(userPath(scores)),
    vocabulary: vocabulary === undefined ? undefined : userPath(vocabulary),
    force,
  });
  printLine(`Wrote ${written.tensors} tensors of '${path}' to '${written.out}' (${written.format})`);
  if (written.vocabulary !== undefined) {
    printLine(`Wrote ${written.words} words and the settings to '${written.vocabulary}'`);
  }
  return 0;
}

async function defaultPath(): Promise<string> {
  using chosen = await defaultCheckpoint(userPath("runs"), { warn: printNote });
  return chosen.path;
}

Deno.exit(await runTask(main));
