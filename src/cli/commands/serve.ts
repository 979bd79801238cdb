import type { Command } from "commander";
import { createCommand } from "../command.ts";
import { addServeOptions } from "../serve_options.ts";

export function serveCommand(): Command {
  const command = createCommand("serve", "Serves a web page and an HTTP API that caption and search images.", {
    examples: [
      "deno task serve                                          # http://127.0.0.1:8000",
      "deno task serve --checkpoint runs/first/best.safetensors --images photos",
      "deno task serve --run runs/first                         # with curves and captions of that run",
      "curl -F image=@photo.jpg 'http://127.0.0.1:8000/api/caption?nBest=3'",
    ],
  });
  return addServeOptions(command).allowExcessArguments(false);
}
