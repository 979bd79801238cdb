/**
 * Captions of images.
 *
 * @module
 */

import { join } from "node:path";
import { Captioner } from "../../src/captioning/captioner.ts";
import { DEFAULT_ENCODER } from "../../src/ffi/encoders.ts";
import { exportModel } from "../../src/checkpoint/export_model.ts";
import { type BenchContext, beside, ourCaptions, theirCaptions } from "../context.ts";
import { alone, figures, inTurns } from "../rounds.ts";
import { makeRow, type Row } from "../table.ts";
import { outputOf, type Program, PROJECT } from "../task_command.ts";

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
  const { python, against } = context;
  const settings = python === undefined ? {} : await exportForPython(context, options);
  const count = files.length;
  for (const precision of context.precisions) {
    const captioning = { checkpoint, files, beamSize: BEAM, precision };
    const theirs = python !== undefined
      ? theirCaptions(python, settings)
      : against !== undefined
      ? ourCaptions(context, captioning, against)
      : undefined;
    const { answers } = await inTurns(ourCaptions(context, captioning), theirs, context.rounds);
    const [[ours, other] = []] = answers;
    const same = ours?.captions.filter((caption, index) => caption === other?.captions[index]).length;
    const row = beside(
      context,
      `${count} images captioned, beam ${BEAM}, ${precision}`,
      "PyTorch eager fp32 with PIL",
      {
        least: precision === "fp32" ? 1.1 : 1.8,
      },
    );
    const name = other === undefined ? row.name : `${row.name}; ${same} captions are the same`;
    yield makeRow([name, "images/s"], figures(answers, ({ seconds }) => count / seconds), row.bar);
  }
  const precision = context.precisions.at(-1) ?? "fp32";
  for (const beamSize of [1, BEAM]) {
    const answers = await alone(ourCaptions(context, { checkpoint, files: files.slice(0, 1), beamSize, precision }), 5);
    const times = answers.map(({ seconds }) => [1000 * seconds] as const);
    yield makeRow(
      [`one image, model loaded, ${beamSize === 1 ? "greedy" : `beam ${BEAM}`}, ${precision}`, "ms"],
      times,
    );
  }
  yield await fromStart(context, options, settings);
}

/** Seconds from the start of a process to its caption. */
async function fromStart(
  context: BenchContext,
  { checkpoint, files }: CaptioningOptions,
  settings: object,
): Promise<Row> {
  const { python, against, rounds } = context;
  const one = JSON.stringify({ ...settings, files: files.slice(0, 1), once: true });
  const script = join(PROJECT, "bench", "pytorch", "caption.py");
  // As a user does, with the look at whether the library is built.
  const command = Deno.execPath();
  const args = ["task", "--quiet", "caption", "--checkpoint", checkpoint, files[0] ?? ""];
  const ours = { command, args, cwd: PROJECT };
  const theirs = python !== undefined
    ? { command: python, args: [script, one], cwd: PROJECT }
    : against !== undefined
    ? { command, args, cwd: against }
    : undefined;
  const times: [number, number?][] = [];
  for (let round = 0; round <= rounds; round++) {
    const mine = await secondsOf(ours);
    const pair: [number, number?] = theirs === undefined ? [mine] : [mine, await secondsOf(theirs)];
    // The first round reads both programs from the disk.
    if (round > 0) times.push(pair);
  }
  const { bar } = beside(context, "", "", { most: 0.6 });
  return makeRow(["one image, from the start of the process to the caption", "s"], times, bar);
}

async function secondsOf({ command, args, cwd }: Program): Promise<number> {
  const start = performance.now();
  await outputOf(command, args, cwd);
  return (performance.now() - start) / 1000;
}

/** Writes the model for PyTorch, and what the script needs to know of it. */
async function exportForPython({ work }: BenchContext, { checkpoint, files }: CaptioningOptions) {
  using captioner = await Captioner.load(checkpoint, { precision: "fp32" });
  const { model, preprocessing, decoding } = captioner.metadata;
  if (model.languageLayers !== 0 || model.fusionLayers !== 1 || model.inject !== "every") {
    throw new Error("The model must be of the 1u variant with the image at every word");
  }
  const isResnet = (model.encoder ?? DEFAULT_ENCODER).startsWith("resnet");
  const { out: weights, vocabulary } = await exportModel(checkpoint, { out: join(work, "model.pth") });
  return {
    ...{ weights, vocabulary, files, once: false, beam: BEAM, most: decoding.maxLength },
    ...{ short: preprocessing.shortSide, size: preprocessing.imageSize, resize: preprocessing.resize ?? "crop" },
    encoder: model.encoder ?? DEFAULT_ENCODER,
    model: {
      ...{ vocabulary: model.vocabularySize, embed: model.embedSize, hidden: model.hiddenSize },
      ...{ language: 0, fusion: 1, inject: "every", image_step: false },
      // PyTorch has one width of EfficientNet; the ResNet that it replaces is as small as can be.
      ...(isResnet ? { width: model.encoderWidth, blocks: model.encoderBlocks } : { width: 8, blocks: [1, 1, 1, 1] }),
    },
  };
}
