/**
 * The options of `deno task serve`.
 *
 * @module
 */

import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import type { EngineOptions } from "../ffi/settings.ts";
import type { Limits } from "../server/app.ts";
import { wholeNumber } from "./command.ts";
import { addEngineOptions, parseEngineOptions } from "./engine_options.ts";

const MEGABYTE = 1e6;
/** A day; timers take no more than 24. */
const LONGEST_TIMEOUT = 86_400;

const schema = z.object({
  checkpoint: z.string().optional(),
  vocabulary: z.string().optional(),
  images: z.string().optional(),
  recursive: z.boolean().default(false),
  run: z.string().optional(),
  host: z.string().default("127.0.0.1"),
  port: z.number().default(8000),
  maxUpload: z.number().default(20),
  maxPixels: z.number().default(50e6),
  maxRequests: z.number().default(256),
  timeout: z.number().default(60),
});

const NOTE = `
Ctrl-C or SIGTERM: what has begun is finished, nothing new is taken, and the exit code is 0. A second Ctrl-C ends it at once.
The API is described at /api/openapi.json.`;

/** What a call of `deno task serve` asks for. */
export interface ServeOptions extends
  Omit<
    z.infer<typeof schema>,
    "maxUpload" | "maxPixels" | "maxRequests" | "timeout"
  > {
  /** How the model computes. */
  readonly engine: EngineOptions;
  /** What is done at most. */
  readonly limits: Limits;
}

/**
 * Adds the options of serving.
 *
 * @param command The command.
 * @returns The command.
 */
export function addServeOptions(command: Command): Command {
  command
    .option("--checkpoint <file>", "what training wrote (default: the newest run's best.safetensors)")
    .option("--vocabulary <file>", "words as JSON, for a .pth of PyTorch or another program's .safetensors")
    .option("--images <folder>", "images that can be searched by a sentence")
    .option("-r, --recursive", "look through folders in that folder")
    .option("--run <folder>", "show a training run, while it goes on or later")
    .option("--host <address>", "where to listen; 0.0.0.0 for all networks of this machine (default: 127.0.0.1)")
    .option("--port <n>", "which port; 0 for any that is free (default: 8000)", portNumber)
    .option("--max-upload <n>", "megabytes of an upload (default: 20)", wholeNumber(1))
    .option("--max-pixels <n>", "refuse images of more pixels (default: 50 million)", wholeNumber(1))
    .option("--max-requests <n>", "requests in work or waiting; others get 429 (default: 256)", wholeNumber(1))
    .option("--timeout <n>", "seconds that a request may take (default: 60)", wholeNumber(1));
  return addEngineOptions(command).addHelpText("after", NOTE);
}

/**
 * Reads the options of serving.
 *
 * @param options What commander parsed.
 * @returns What is asked for.
 */
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

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65536) return port;
  throw new InvalidArgumentError("It must be a whole number from 0 to 65535.");
}
