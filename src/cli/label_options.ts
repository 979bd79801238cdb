import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import type { EngineOptions } from "../ffi/settings.ts";
import { wholeNumber } from "./command.ts";
import { addEngineOptions, parseEngineOptions } from "./engine_options.ts";
import { portNumber } from "./serve_options.ts";

const schema = z.object({
  images: z.string(),
  labels: z.string(),
  recursive: z.boolean().default(false),
  checkpoint: z.string().optional(),
  vocabulary: z.string().optional(),
  port: z.number().default(8000),
  maxPixels: z.number().default(50e6),
});

const NOTE = `
The page answers this machine only. Each decision is in the file at once. Ctrl-C stops the task.`;

/** Options of `deno task label`. */
export interface LabelOptions extends z.infer<typeof schema> {
  readonly engine: EngineOptions;
}

export function addLabelOptions(command: Command): Command {
  command
    .requiredOption("--images <folder>", "folder of images to caption")
    .requiredOption("--labels <file>", "CSV file of the captions, created if it is missing", csvFile)
    .option("-r, --recursive", "search folders recursively")
    .option("--checkpoint <file>", "checkpoint (default: the best of the newest run, else the one that ships)")
    .option("--vocabulary <file>", "vocabulary as JSON, for a PyTorch .pth or another program's .safetensors")
    .option("--port <n>", "port; 0 for any free one (default: 8000)", portNumber)
    .option("--max-pixels <n>", "reject images with more pixels (default: 50 million)", wholeNumber(1));
  return addEngineOptions(command).addHelpText("after", NOTE);
}

export function parseLabelOptions(options: Readonly<Record<string, unknown>>): LabelOptions {
  return { ...schema.parse(options), engine: parseEngineOptions(options) };
}

/** Training finds files of captions by their ending. */
function csvFile(path: string): string {
  if (/[^/\\]\.csv$/i.test(path)) return path;
  throw new InvalidArgumentError("Its name must end in .csv.");
}
