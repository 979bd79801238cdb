import { encodePng } from "../images/encode_png.ts";
import type { Caption } from "../captioning/caption.ts";
import { writeCaptions } from "../captioning/write_captions.ts";
import { scoreCaptions, tokenizeCaptions } from "../evaluation/score_captions.ts";
import { scoringTokenizer } from "../evaluation/scoring_tokenizer.ts";
import type { Example } from "../data/dataset.ts";
import { exampleBatches, inOrder } from "./example_batches.ts";
import type { GalleryItem } from "../report/reported_run.ts";
import type { EncodedExample } from "./training_data.ts";
import type { TrainingContext } from "./training_context.ts";

/** Images in a gallery, their longest side in pixels, and the best captions of each. */
const [SHOWN, SIDE, BEST] = [24, 160, 3];

/** Captions a few images, spread evenly over the validation set. */
export async function makeGallery(context: TrainingContext): Promise<GalleryItem[]> {
  const { engine, recipe, vocabulary, metadata } = context;
  const several = metadata.decoding.firstWord === undefined ? { beamSize: BEST, nBest: BEST } : {};
  const items: Omit<GalleryItem, "cider">[] = [];
  const chosen = spread(context.splits.validation);
  for await (const { images, examples: members } of exampleBatches(context, chosen, inOrder(chosen))) {
    if (!("pixels" in images)) throw new TypeError("Cannot show images: only their features are read");
    const captions = await writeCaptions(engine, await engine.encode(images), { ...metadata, vocabulary, ...several });
    for (const [index, { example }] of members.entries()) {
      const caption = captions[index];
      if (caption === undefined) continue;
      const bytes = images.height * images.width * 3;
      const pixels = images.pixels.slice(index * bytes, (index + 1) * bytes);
      const square = { height: images.height, width: images.width, pixels };
      const side = Math.min(SIDE, images.height, images.width);
      items.push({
        ...describe(example, caption),
        image: dataUrl(await engine.resizeCrop(square, side, side), side),
      });
    }
  }
  const { captions } = scoreCaptions(tokenizeCaptions(items, scoringTokenizer(recipe.tokenizer)));
  return items.map((item, index) => ({ ...item, cider: captions[index]?.CIDEr ?? 0 }));
}

/** One example for each image, evenly over all. */
function spread(examples: readonly EncodedExample[]): EncodedExample[] {
  const of = new Map<Example, EncodedExample>(examples.map((example) => [example.example, example]));
  const all = [...of.values()];
  const count = Math.min(SHOWN, all.length);
  return Array.from({ length: count }, (_, index) => all[Math.floor(index * all.length / count)] ?? []).flat();
}

function describe({ name, captions }: Example, best: Caption): Omit<GalleryItem, "cider" | "image"> {
  return {
    name,
    references: captions,
    caption: best.text,
    best: [best, ...best.alternatives ?? []].map(({ text, logProbability }) => (
      { caption: text, probability: Math.exp(logProbability) }
    )),
  };
}

function dataUrl(data: Uint8Array, side: number): string {
  const png = encodePng({ width: side, height: side, pixels: data });
  return `data:image/png;base64,${new Uint8Array(png).toBase64()}`;
}
