/**
 * Renders scenes of colored shapes with captions, as a dataset to try things with: those of the tutorial and the walkthrough, and the 12 scenes of
 * `docs/example`, which have 48 pixels and seed 8.
 *
 *     deno run --allow-read --allow-write docs/render_scenes.ts shop 600
 *     deno run --allow-read --allow-write docs/render_scenes.ts docs/example/scenes 12 48 8
 *
 * `docs/example/model.safetensors`, the examples' model, is about as small as a model that captions such scenes can be: the
 * `best.safetensors` of
 *
 *     deno task train --seed 1 --epochs 200 --image-size 32 --embed-size 16 --hidden-size 24 --precision fp32 --threads 1 \
 *       --set encoderWidth=3 --set encoderBlocks=1,1,1,1 --set learningRate=3e-3 --set encoderLearningRate=3e-3 \
 *       --set augmentation=crop
 *
 * @module
 */

import { encodePng } from "../src/images/encode_png.ts";
import { join } from "node:path";
import { Random } from "../src/random.ts";
import { renderScene } from "../src/sample/scenes.ts";

const [folder, count, side = "96", seed = "7"] = Deno.args;
if (folder === undefined || count === undefined) {
  console.error("Usage: deno run --allow-read --allow-write docs/render_scenes.ts FOLDER COUNT [PIXELS] [SEED]");
  Deno.exit(1);
}

const random = new Random(Number(seed));
const rows = ["image,caption"];
await Deno.mkdir(join(folder, "Images"), { recursive: true });
for (let index = 0; index < Number(count); index++) {
  const { image: { width, height, pixels }, captions } = renderScene(Number(side), random);
  const name = `item-${String(index).padStart(3, "0")}.png`;
  await Deno.writeFile(join(folder, "Images", name), encodePng({ width, height, pixels }));
  rows.push(...captions.map((caption) => `${name},${caption}`));
}
await Deno.writeTextFile(join(folder, "captions.csv"), `${rows.join("\n")}\n`);
