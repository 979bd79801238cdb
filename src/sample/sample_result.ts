import { encodePng } from "../images/encode_png.ts";
import { join } from "node:path";
import { Captioner } from "../captioning/captioner.ts";
import { scoreCaptions, tokenizeCaptions } from "../evaluation/score_captions.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { Random } from "../random.ts";
import { createFolder } from "../files/create_folder.ts";
import { writeAtomic } from "../files/write_atomic.ts";
import { captionFiles } from "../captioning/caption_files.ts";
import { InputError } from "../input_error.ts";
import type { Scene } from "./scenes.ts";

/** A held-out scene with its caption. */
export interface HeldOut {
  /** Path of the image, relative to the run's folder. */
  readonly image: string;
  /** All correct captions. */
  readonly references: readonly string[];
  /** The model's caption. */
  readonly caption: string;
}

/** The contents of `result.json`. */
export interface SampleResult {
  /** Fraction of captions that equal one of their references. */
  readonly exactFraction: number;
  /** BLEU-4, 0 to 1. */
  readonly bleu4: number;
  /** CIDEr-D, 0 to 10. */
  readonly cider: number;
  readonly trainingSeconds: number;
  /** Number of distinct descriptions: how hard guessing is. */
  readonly descriptions: number;
  /** The exact fraction of the best single caption for all scenes. */
  readonly bestSingleCaptionFraction: number;
  /** The exact fraction of these captions on shuffled scenes. */
  readonly shuffledFraction: number;
  readonly heldOut: readonly HeldOut[];
}

/** Options of {@linkcode captionHeldOut}. */
export interface CaptionHeldOutOptions extends EngineOptions {
  /** Folder of the run; images go to `held-out` in it. */
  readonly out: string;
  readonly checkpoint: string;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Writes the scenes as PNG files and captions these files, as `deno task caption` would. */
export async function captionHeldOut(scenes: readonly Scene[], options: CaptionHeldOutOptions): Promise<HeldOut[]> {
  const { out, checkpoint, onProgress, signal } = options;
  await createFolder(join(out, "held-out"));
  const files = await Promise.all(scenes.map(async ({ image }, index) => {
    const file = join("held-out", `${String(index + 1).padStart(3, "0")}.png`);
    await writeAtomic(join(out, file), [encodePng(image)]);
    return file;
  }));
  using captioner = await Captioner.load(checkpoint, options);
  const inputs = ReadableStream.from(files.map((name) => ({ name, path: join(out, name) })));
  const heldOut: HeldOut[] = [];
  for await (const result of captionFiles(captioner, inputs, { signal })) {
    if ("problem" in result) throw new InputError(result.problem);
    const { image, text: caption } = result;
    heldOut.push({ image, references: scenes[heldOut.length]?.captions ?? [], caption });
    onProgress(heldOut.length, files.length);
  }
  return heldOut;
}

/** Scores captions, and compares the exact ones with chance. */
export function scoreHeldOut(heldOut: readonly HeldOut[], trainingSeconds: number): SampleResult {
  const total = heldOut.length;
  const exact = (caption: string, { references }: HeldOut) => references.includes(caption);
  const exactFractionOf = (captions: readonly string[]) =>
    heldOut.filter((scene, index) => exact(captions[index] ?? "", scene)).length / total;
  const captions = heldOut.map(({ caption }) => caption);
  const everyReference = new Set(heldOut.flatMap(({ references }) => references));
  const exactCounts = [...everyReference].map((caption) => heldOut.filter((scene) => exact(caption, scene)).length);
  const { Bleu_4: bleu4, CIDEr: cider } = scoreCaptions(tokenizeCaptions(heldOut)).corpus;
  return {
    exactFraction: exactFractionOf(captions),
    bleu4,
    cider,
    trainingSeconds,
    descriptions: new Set(heldOut.map(({ references }) => references.toSorted().join("\n"))).size,
    bestSingleCaptionFraction: Math.max(...exactCounts) / total,
    shuffledFraction: exactFractionOf(new Random(0).shuffle(captions)),
    heldOut,
  };
}
