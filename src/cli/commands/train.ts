import type { Command } from "commander";
import { addQuietOption, createCommand } from "../command.ts";
import { addProcessGroupOptions } from "../process_group.ts";
import { addTrainOptions } from "../train_options.ts";

export function trainCommand(): Command {
  const command = createCommand("train", "Trains a captioner; without --data, on rendered scenes.", {
    examples: [
      "deno task train                                        # renders scenes, and trains on them in a minute and a half",
      "deno task train --data path/to/flickr8k --out runs/first",
      "deno task train --data path/to/flickr8k --max-images 500 --epochs 2 --encoder-weights none   # a first try",
      "deno task train --captions rows.csv --images photos --set minCount=2",
      "deno task train --data path/to/flickr8k --variant 2f --finetune-after 3 --set learningRate=2e-4",
      "deno task train --data mine --init-from runs/first/best.safetensors   # fine-tune it on your own photos",
      "deno task train --resume runs/first                    # after Ctrl-C or a power cut",
      "deno task train --self-critical runs/first --out runs/second",
      "deno task train --data path/to/flickr8k --recipe notebook",
    ],
  });
  return addQuietOption(
    addProcessGroupOptions(addTrainOptions(command)),
    "print only warnings, and at the end the path of the best checkpoint",
  );
}
