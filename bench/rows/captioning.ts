/**
 * Captions of images.
 *
 * @module
 */

import { join } from "node:path";
import { Captioner } from "../../src/captioning/captioner.ts";
import { exportModel } from "../../src/checkpoint/export_model.ts";
import { type BenchContext, ourCaptions, PROJECT, theirCaptions } from "../context.ts";
import { alone, inTurns } from "../rounds.ts";
import { makeRow, type Row } from "../table.ts";

/** The model and the images to caption. */
export interface CaptioningOptions {
  /** A checkpoint of the 1u variant with the image at every word. */
  readonly checkpoint: string;
  /** Image files. */
  readonly files: readonly string[];
}

const BEAM = 3;

/** Images a second of many, and the time of one. */
export async function* captioningRows(context: BenchContext, options: CaptioningOptions): AsyncGenerator<Row> {
  const { checkpoint, files } = options;
  const settings = await exportForPython(context, options);
  const count = files.length;
  for (const precision of context.precisions) {
    const ours = ourCaptions(context, { checkpoint, files, beam: BEAM, precision });
    const { answers } = await inTurns(ours, theirCaptions(context, settings), context.rounds);
    const [first] = answers;
    const same = first?.[0].captions.filter((caption, index) => caption === first[1].captions[index]).length ?? 0;
    const name = `${count} images captioned, beam ${BEAM}, ${precision}, against PyTorch eager fp32 with PIL; ` +
      `${same} captions are the same`;
    const speeds = answers.map(([a, b]) => [count / a.seconds, count / b.seconds] as const);
    yield makeRow([name, "images/s"], speeds, {
      least: precision === "fp32" ? 1.1 : 1.8,
    });
  }
  const precision = context.precisions.at(-1) ?? "fp32";
  for (const beam of [1, BEAM]) {
    const answers = await alone(ourCaptions(context, { checkpoint, files: files.slice(0, 1), beam, precision }), 5);
    const times = answers.map(({ seconds }) => [1000 * seconds] as const);
    yield makeRow(
      [`one image, model loaded, ${beam === 1 ? "greedy" : `beam ${BEAM}`}, ${precision}`, "ms"],
      times,
    );
  }
  yield await fromStart(context, options, settings);
}

/** Seconds from the start of a process to its caption. */
async function fromStart(
  { python, rounds }: BenchContext,
  { checkpoint, files }: CaptioningOptions,
  settings: object,
): Promise<Row> {
  const one = JSON.stringify({ ...settings, files: files.slice(0, 1), once: true });
  const script = join(PROJECT, "bench", "pytorch", "caption.py");
  const commands = [
    { command: Deno.execPath(), args: ["task", "--quiet", "caption", "--checkpoint", checkpoint, files[0] ?? ""] },
    { command: python, args: [script, one] },
  ];
  const times: [number, number][] = [];
  for (let round = 0; round <= rounds; round++) {
    const pair: number[] = [];
    for (const { command, args } of commands) {
      const start = performance.now();
      const { success } = await new Deno.Command(command, { args, cwd: PROJECT, stdout: "null" }).output();
      if (!success) throw new Error(`Cannot caption one image by ${command}`);
      pair.push((performance.now() - start) / 1000);
    }
    // The first round reads both programs from the disk.
    if (round > 0) times.push([pair[0] ?? NaN, pair[1] ?? NaN]);
  }
  return makeRow(["one image, from the start of the process to the caption", "s"], times, { most: 0.6 });
}

/** Writes the model for PyTorch, and what the script needs to know of it. */
async function exportForPython({ work }: BenchContext, { checkpoint, files }: CaptioningOptions) {
  using captioner = await Captioner.load(checkpoint, { precision: "fp32" });
  const { model, preprocessing, decoding } = captioner.metadata;
  if (model.languageLayers !== 0 || model.fusionLayers !== 1 || model.inject !== "every") {
    throw new Error("The model must be of the 1u variant with the image at every word");
  }
  const { out: weights, vocabulary } = await exportModel(checkpoint, { out: join(work, "model.pth") });
  return {
    ...{ weights, vocabulary, files, once: false, beam: BEAM, most: decoding.maxLength },
    ...{ short: preprocessing.shortSide, size: preprocessing.imageSize },
    model: {
      ...{ vocabulary: model.vocabularySize, embed: model.embedSize, hidden: model.hiddenSize },
      ...{ language: 0, fusion: 1, inject: "every", image_step: false },
      ...{ width: model.encoderWidth, blocks: model.encoderBlocks },
    },
  };
}
