/**
 * The command `serve`.
 *
 * @module
 */

import type { Command } from "commander";
import { createCommand } from "../command.ts";
import { addServeOptions } from "../serve_options.ts";

/** Makes the command `deno task serve`. */
export function serveCommand(): Command {
  const command = createCommand("serve", "Serves a page and an API that caption and find images.", {
    examples: [
      "deno task serve                                          # http://127.0.0.1:8000",
      "deno task serve --checkpoint runs/first/best.safetensors --images photos",
      "deno task serve --run runs/first                         # curves and captions of a training that goes on",
      "curl -F image=@photo.jpg 'http://127.0.0.1:8000/api/caption?nBest=3'",
    ],
  });
  return addServeOptions(command).allowExcessArguments(false);
}
