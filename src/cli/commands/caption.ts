import type { Command } from "commander";
import { addCaptionOptions } from "../caption_options.ts";
import { addQuietOption, createCommand } from "../command.ts";
import { addProcessGroupOptions } from "../process_group.ts";

export function captionCommand(): Command {
  const command = createCommand("caption", "Captions images.", {
    examples: [
      "deno task caption photo.jpg",
      "deno task caption --n-best 5 --length-penalty 0.7 photo.jpg",
      "deno task caption --recursive photos/ --out captions.csv",
      "deno task caption --recursive photos/ --sidecar xmp",
      "deno task caption --beam-groups 5 --n-best 5 --diversity-penalty 1 photo.jpg",
      "deno task caption --sample --temperature 0.8 --top-p 0.9 --seed 7 --n-best 5 photo.jpg",
      'deno task caption --with frisbee --without man --begin "a dog" photo.jpg',
      "deno task caption --checkpoint first.safetensors --checkpoint second.safetensors photo.jpg",
      "find . -name '*.jpg' | deno task caption -   # paths, or an image: deno task caption - < photo.jpg",
    ],
  });
  return addQuietOption(addProcessGroupOptions(addCaptionOptions(command)), "print only captions, warnings and errors");
}
