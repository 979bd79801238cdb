/**
 * How well a model describes drawn scenes that it has never seen.
 *
 * @module
 */

import { encode as encodePng } from "fast-png";
import { join } from "node:path";
import { Captioner } from "../captioning/captioner.ts";
import { scoreCaptions, tokenizeCaptions } from "../evaluation/score_captions.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { Random } from "../random.ts";
import { readImage } from "../images/read_image.ts";
import type { Scene } from "./scenes.ts";

/** Pictures captioned at a time. */
const BATCH = 32;

/** A picture with its caption. */
export interface HeldOut {
  /** The picture's file, as seen from the run's folder. */
  readonly image: string;
  /** All that it may be called. */
  readonly references: readonly string[];
  /** What the model calls it. */
  readonly caption: string;
}

/** What `result.json` holds. */
export interface SampleResult {
  /** Share of the pictures whose caption equals one of their references. */
  readonly exactFraction: number;
  /** BLEU-4 of the captions, 0 to 1. */
  readonly bleu4: number;
  /** CIDEr-D of the captions, 0 to 10. */
  readonly cider: number;
  /** Seconds that training took. */
  readonly trainingSeconds: number;
  /** Different descriptions among the pictures: how hard it is to guess. */
  readonly descriptions: number;
  /** The share that the best single caption would get for all pictures. */
  readonly bestSingleCaptionFraction: number;
  /** The share that these captions get when the pictures are shuffled. */
  readonly shuffledFraction: number;
  /** The pictures. */
  readonly heldOut: readonly HeldOut[];
}

/** Options of {@linkcode captionHeldOut}. */
export interface CaptionHeldOutOptions extends EngineOptions {
  /** The run's folder; the pictures are written into `held-out` in it. */
  readonly out: string;
  /** The checkpoint. */
  readonly checkpoint: string;
  /** Called as captions come. */
  readonly onProgress: (done: number, total: number) => void;
  /** Ends the captioning. */
  readonly signal: AbortSignal;
}

/**
 * Writes the pictures as PNG files and captions these files, as `deno task caption` would.
 *
 * @param scenes The pictures and their references.
 * @param options See {@linkcode CaptionHeldOutOptions}.
 * @returns Each picture with its caption.
 */
export async function captionHeldOut(scenes: readonly Scene[], options: CaptionHeldOutOptions): Promise<HeldOut[]> {
  const { out, checkpoint, onProgress, signal } = options;
  await Deno.mkdir(join(out, "held-out"), { recursive: true });
  const files = await Promise.all(scenes.map(async ({ image }, index) => {
    const file = join("held-out", `${String(index + 1).padStart(3, "0")}.png`);
    await Deno.writeFile(join(out, file), encodePng({ ...image, data: image.pixels, channels: 3 }));
    return file;
  }));
  using captioner = await Captioner.load(checkpoint, options);
  const heldOut: HeldOut[] = [];
  for (let start = 0; start < files.length; start += BATCH) {
    signal.throwIfAborted();
    const images = await Promise.all(
      files.slice(start, start + BATCH).map((file) => readImage({ path: join(out, file) })),
    );
    for (const { caption } of await captioner.caption(images)) {
      const index = heldOut.length;
      heldOut.push({ image: files[index] ?? "", references: scenes[index]?.captions ?? [], caption });
    }
    onProgress(heldOut.length, files.length);
  }
  return heldOut;
}

/**
 * Scores captions, and counts exact ones and what chance would give.
 *
 * @param heldOut The pictures.
 * @param trainingSeconds For the record.
 * @returns The result.
 */
export function scoreHeldOut(heldOut: readonly HeldOut[], trainingSeconds: number): SampleResult {
  const total = heldOut.length;
  const exact = (caption: string, { references }: HeldOut) => references.includes(caption);
  const share = (captions: readonly string[]) =>
    heldOut.filter((picture, index) => exact(captions[index] ?? "", picture)).length / total;
  const captions = heldOut.map(({ caption }) => caption);
  const everyReference = new Set(heldOut.flatMap(({ references }) => references));
  const exactCounts = [...everyReference].map((caption) => heldOut.filter((picture) => exact(caption, picture)).length);
  const { Bleu_4: bleu4, CIDEr: cider } = scoreCaptions(tokenizeCaptions(heldOut)).corpus;
  return {
    exactFraction: share(captions),
    bleu4,
    cider,
    trainingSeconds,
    descriptions: new Set(heldOut.map(({ references }) => references.toSorted().join("\n"))).size,
    bestSingleCaptionFraction: Math.max(...exactCounts) / total,
    shuffledFraction: share(new Random(0).shuffle(captions)),
    heldOut,
  };
}
