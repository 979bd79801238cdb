/**
 * Encoders beside PyTorch eager with channels_last: images encoded and training steps.
 *
 *     deno run -A bench/encoders.ts [--python python3] [--rounds 5] [--steps 3] [--device cpu] [--precisions fp32,bf16]
 *
 * Without --precisions, bfloat16 is measured if the processor has it.
 *
 * The Python needs torch of the library's version, numpy and the package efficientnet-lite-pytorch.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { ENCODERS } from "../src/ffi/encoders.ts";
import { buildInfo, loadLibrary } from "../src/ffi/library.ts";
import { type Entrant, figures, inTurns } from "./rounds.ts";
import { formatTable, makeRow, type Row } from "./table.ts";

const BATCH = 16;
const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    rounds: { type: "string", default: "5" },
    steps: { type: "string", default: "3" },
    device: { type: "string", default: "cpu" },
    precisions: { type: "string" },
  },
});
const { python, device } = values;
const [rounds, steps] = [Number(values.rounds), Number(values.steps)];

const speed = z.object({ seconds: z.number(), images: z.number() });

function entrant(
  command: string,
  args: readonly string[],
  script: string,
  settings: unknown,
): Entrant<z.infer<typeof speed>> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return { program: { command, args: [...args, path, JSON.stringify(settings)] }, answer: speed };
}

const precisions = values.precisions?.split(",") ??
  (buildInfo(loadLibrary()).bf16 || device === "cuda" ? ["fp32", "bf16"] : ["fp32"]);
const rows: Row[] = [];
for (const encoder of ["resnet50", "efficientnet-lite2"] as const) {
  for (const precision of precisions) {
    for (const train of [false, true]) {
      const settings = {
        encoder,
        precision,
        train,
        device,
        steps,
        batchSize: BATCH,
        side: ENCODERS[encoder].imageSize,
      };
      const ours = entrant(Deno.execPath(), ["run", "-A"], "lrcn/encoder.ts", settings);
      const theirs = entrant(python, [], "pytorch/encoder.py", settings);
      const { answers } = await inTurns(ours, theirs, rounds);
      const each = train ? BATCH : 1;
      const speeds = figures(answers, ({ images, seconds }) => images / each / seconds);
      const name = `${encoder}, ${settings.side} pixels, ${
        train ? `training, batch ${BATCH}` : "encoding"
      }, ${precision}`;
      rows.push(makeRow([name, train ? "steps/s" : "images/s"], speeds, {}));
    }
  }
}
console.log(formatTable(rows));
