/**
 * `deno task caption`: captions images.
 *
 * @module
 */

import { Captioner } from "../src/captioning/captioner.ts";
import { captionFiles } from "../src/cli/caption_files.ts";
import { createCommand, EXIT_INPUT, runTask, userPath, wholeNumber } from "../src/cli/command.ts";
import { newestCheckpoint } from "../src/cli/newest_run.ts";
import { z } from "zod";

const schema = z.object({
  checkpoint: z.string().optional(),
  vocabulary: z.string().optional(),
  beam: z.number().optional(),
  maxPixels: z.number().optional(),
  json: z.boolean().default(false),
});

async function main(): Promise<number> {
  const command = createCommand("caption", "Captions JPEG and PNG images, one line each.")
    .argument("<image...>", "image files")
    .option("--checkpoint <file>", "what training wrote (default: the newest run's best.safetensors)")
    .option("--vocabulary <file>", "words as JSON, for a .pth of PyTorch or another program's .safetensors")
    .option("--beam <n>", "captions pursued at once (default: the checkpoint's)", wholeNumber(1))
    .option("--max-pixels <n>", "refuse images of more pixels (default: 50 million)", wholeNumber(1))
    .option("--json", "an array of {image, caption, logProbability, tokens}");
  command.parse(Deno.args, { from: "user" });
  const { checkpoint, vocabulary, beam, maxPixels, json } = schema.parse(command.opts());
  const path = checkpoint === undefined ? await newestCheckpoint(userPath("runs")) : userPath(checkpoint);

  using captioner = await Captioner.load(path, {
    vocabulary: vocabulary === undefined ? undefined : userPath(vocabulary),
  });
  const { captions, broken } = await captionFiles(captioner, command.args, { path: userPath, beam, maxPixels });
  for (const reason of broken) console.error(`error: ${reason}`);
  if (json) console.log(JSON.stringify(captions, null, 2));
  else {for (const { image, caption } of captions) {
      console.log(command.args.length === 1 ? caption : `${image}\t${caption}`);
    }}
  return broken.length === 0 ? 0 : EXIT_INPUT;
}

Deno.exit(await runTask(main));
