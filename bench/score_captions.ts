/**
 * How long 1,000 captions with five references each take to be scored, and in how much memory, beside pycocoevalcap's
 * numbers for the same files if a Python with it and Java is named. The captions are made up. Exit code 1 if it takes more
 * than it may, or if a score differs by 1e-6 or more. With --smoke there are 10.
 *
 *     deno run --allow-read --allow-write --allow-run --allow-sys=cpus bench/score_captions.ts [python3]
 *
 * @module
 */

import assert from "node:assert/strict";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { matchReferences, parsePredictions, parseReferences } from "../src/evaluation/coco_files.ts";
import { scoreCaptions, type Scores, tokenizeCaptions } from "../src/evaluation/score_captions.ts";
import { Random } from "../src/random.ts";
import { peakMemory } from "./peak_memory.ts";

const smoke = Deno.args.includes("--smoke");
const IMAGES = smoke ? 10 : 1000;
const REFERENCES_OF_IMAGE = 5;
const MAX_SECONDS = 1.5;
const MAX_BYTES = 300e6;

const PARTS = [
  [
    "A man",
    "Two women",
    "A young girl's brother",
    "The baker",
    "Several people",
    "A dog",
    "He who can't swim",
    "Mr. Hill",
  ],
  [
    "is riding a bike",
    "isn't looking at a kite",
    "hold umbrellas",
    "waits",
    'points to a "stop" sign',
    "sit, talk and eat",
  ],
  ["near", "with", "and", "behind", "(or beside)"],
  ["a red-brick house", "three boats", "the baker's van", "a plate of food", "an old clock", "a tennis court"],
  ["by the sea", "in front of a crowd of people, all of them seated", "on a sunny day", "at 10:30 a.m.", "indoors"],
];
const ENDS = [".", ".", ".", " .", "", "!"];

const measuredSchema = z.object({
  seconds: z.number(),
  python: z.number(),
  java: z.number(),
  scores: z.record(z.string(), z.number()),
});

function makeCaption(random: Random, image: number): string {
  // Captions of an image have something in common.
  const words = PARTS.map((choices, place) =>
    choices[random.below(2) === 0 ? (image * (place + 3)) % choices.length : random.below(choices.length)]
  );
  return `${words.join(" ")}${ENDS[random.below(ENDS.length)]}`;
}

async function writeFiles(folder: string): Promise<[predictions: string, references: string]> {
  const random = new Random(1);
  const images = Array.from({ length: IMAGES }, (_, image) => image);
  const files = {
    "predictions.json": images.map((image) => ({ image_id: image, caption: makeCaption(random, image) })),
    "references.json": Object.fromEntries(
      images.map((image) => [image, Array.from({ length: REFERENCES_OF_IMAGE }, () => makeCaption(random, image))]),
    ),
  };
  for (const [name, value] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, name), JSON.stringify(value));
  }
  return [join(folder, "predictions.json"), join(folder, "references.json")];
}

async function score([predictions, references]: readonly [string, string]): Promise<Scores> {
  const captions = matchReferences(
    parsePredictions(await Deno.readTextFile(predictions), predictions),
    parseReferences(await Deno.readTextFile(references), references),
  );
  return scoreCaptions(tokenizeCaptions(captions)).corpus;
}

async function scoreByPython(python: string, files: readonly string[]): Promise<z.infer<typeof measuredSchema>> {
  const script = fileURLToPath(new URL("score_captions.py", import.meta.url));
  const { success, stdout } = await new Deno.Command(python, { args: [script, ...files], stderr: "inherit" }).output();
  assert(success, `${python} failed`);
  return measuredSchema.parse(JSON.parse(new TextDecoder().decode(stdout)));
}

async function main(): Promise<number> {
  const [python] = Deno.args.filter((arg) => arg !== "--smoke");
  const folder = await Deno.makeTempDir();
  try {
    const files = await writeFiles(folder);
    const [processor] = cpus();
    console.log(
      `machine        ${processor?.model}, ${navigator.hardwareConcurrency} core(s) used, Deno ${Deno.version.deno}`,
    );
    const start = performance.now();
    const scores = await score(files);
    const seconds = (performance.now() - start) / 1000;
    const bytes = await peakMemory(Deno.pid);
    console.log(`lrcn           ${seconds.toFixed(2)} s, at most ${MAX_SECONDS} s`);
    console.log(`               ${(bytes / 1e6).toFixed(0)} MB, at most ${MAX_BYTES / 1e6} MB`);
    const fits = seconds <= MAX_SECONDS && bytes <= MAX_BYTES;
    if (python === undefined) return fits ? 0 : 1;

    const other = await scoreByPython(python, files);
    console.log(`pycocoevalcap  ${other.seconds.toFixed(2)} s`);
    console.log(
      `               ${(other.python / 1e6).toFixed(0)} MB, and ${(other.java / 1e6).toFixed(0)} MB in Java`,
    );
    const differences = Object.entries(scores).map(([name, value]) => Math.abs(value - (other.scores[name] ?? NaN)));
    console.log(`difference     ${Math.max(...differences).toExponential(1)} at most, of ${differences.length} scores`);
    return fits && differences.every((difference) => difference < 1e-6) ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.exit(await main());
