import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import type { EngineOptions } from "../ffi/settings.ts";
import type { Limits } from "../server/guards.ts";
import { wholeNumber } from "./command.ts";
import { addEngineOptions, parseEngineOptions } from "./engine_options.ts";

const MEGABYTE = 1e6;
/** One day; timers overflow after 24. */
const LONGEST_TIMEOUT = 86_400;

const schema = z.object({
  checkpoint: z.string().optional(),
  vocabulary: z.string().optional(),
  images: z.string().optional(),
  recursive: z.boolean().default(false),
  run: z.string().optional(),
  host: z.string().default("127.0.0.1"),
  allowHost: z.array(z.string()).default([]),
  port: z.number().default(8000),
  maxUpload: z.number().default(20),
  maxPixels: z.number().default(50e6),
  maxRequests: z.number().default(256),
  timeout: z.number().default(60),
});

const NOTE = `
Ctrl-C, SIGTERM or SIGHUP: requests in progress are finished, new ones are refused, and the exit code is 0. A second Ctrl-C quits at
once. The API is described at /api/openapi.json.`;

/** Options of `deno task serve`. */
export interface ServeOptions extends
  Omit<
    z.infer<typeof schema>,
    "maxUpload" | "maxPixels" | "maxRequests" | "timeout"
  > {
  readonly engine: EngineOptions;
  readonly limits: Limits;
}

export function addServeOptions(command: Command): Command {
  command
    .option(
      "--checkpoint <file>",
      "checkpoint, or name of a run (default: the best of the newest run, else the one that ships)",
    )
    .option("--vocabulary <file>", "vocabulary as JSON, for a PyTorch .pth or another program's .safetensors")
    .option("--images <folder>", "folder of images to search by a sentence")
    .option("-r, --recursive", "search folders recursively")
    .option("--run <folder>", "show a training run, in progress or finished")
    .option("--host <address>", "address to listen on; 0.0.0.0 for all interfaces (default: 127.0.0.1)")
    .option(
      "--allow-host <name>",
      "host name to answer to, besides localhost and the addresses listened on; repeatable",
      hostNames,
    )
    .option("--port <n>", "port; 0 for any free one (default: 8000)", portNumber)
    .option("--max-upload <n>", "maximum upload size in megabytes (default: 20)", wholeNumber(1))
    .option("--max-pixels <n>", "reject images with more pixels (default: 50 million)", wholeNumber(1))
    .option(
      "--max-requests <n>",
      "maximum number of requests in progress; more get status 429 (default: 256)",
      wholeNumber(1),
    )
    .option("--timeout <n>", "maximum seconds per request (default: 60)", wholeNumber(1));
  return addEngineOptions(command).addHelpText("after", NOTE);
}

export function parseServeOptions(options: Readonly<Record<string, unknown>>): ServeOptions {
  const { maxUpload, maxPixels, maxRequests, timeout, ...others } = schema.parse(options);
  const limits = {
    bytes: maxUpload * MEGABYTE,
    pixels: maxPixels,
    requests: maxRequests,
    seconds: Math.min(timeout, LONGEST_TIMEOUT),
  };
  return { ...others, limits, engine: parseEngineOptions(options) };
}

function hostNames(name: string, before: readonly string[] = []): string[] {
  if (/^[\w.-]+$|^\[[\da-f:.]+\]$/i.test(name)) return [...before, name.toLowerCase()];
  throw new InvalidArgumentError("It must be a host name, without http:// and port.");
}

export function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65536) return port;
  throw new InvalidArgumentError("It must be a whole number from 0 to 65535.");
}
