import { EXPORT_FORMATS, EXPORT_TYPE_NAMES, exportModel } from "../src/checkpoint/export_model.ts";
import { runTask, userPath } from "../src/cli/command.ts";
import { checkpointPath } from "../src/cli/checkpoint_path.ts";
import { exportCommand } from "../src/cli/commands/export.ts";
import { defaultCheckpoint } from "../src/pipeline/default_checkpoint.ts";
import { z } from "zod";

const schema = z.object({
  checkpoint: z.string().optional(),
  format: z.enum(EXPORT_FORMATS).optional(),
  dtype: z.enum(EXPORT_TYPE_NAMES).optional(),
  out: z.string(),
  vocabulary: z.string().optional(),
  force: z.boolean().default(false),
});

async function main(): Promise<number> {
  const command = exportCommand();
  command.parse(Deno.args, { from: "user" });
  const { checkpoint, out, format, dtype, vocabulary, force } = schema.parse(command.opts());
  const path = checkpoint === undefined ? await defaultPath() : await checkpointPath(checkpoint);
  const written = await exportModel(path, {
    out: userPath(out),
    format,
    dtype,
    vocabulary: vocabulary === undefined ? undefined : userPath(vocabulary),
    force,
  });
  console.log(`Wrote ${written.tensors} tensors of '${path}' to '${written.out}' (${written.format})`);
  if (written.vocabulary !== undefined) {
    console.log(`Wrote ${written.words} words and the settings to '${written.vocabulary}'`);
  }
  return 0;
}

async function defaultPath(): Promise<string> {
  using chosen = await defaultCheckpoint(userPath("runs"), { warn: console.error });
  return chosen.path;
}

Deno.exit(await runTask(main));
