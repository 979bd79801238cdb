/**
 * How long 400,000 captions, COCO's number, take to be read and tokenized, and in how much memory. The captions are made
 * up, in a temporary file as COCO has it. Exit code 1 if it takes more than it may. With --smoke there are 400.
 *
 *     taskset -c 0 deno run --allow-read --allow-write --allow-run=cat --allow-sys=cpus bench/read_captions.ts
 *
 * @module
 */

import { cpus } from "node:os";
import { join } from "node:path";
import { readCaptions } from "../src/data/read_captions.ts";
import { findCaptions } from "../src/data/find_captions.ts";
import { Random } from "../src/random.ts";
import { tokenizerOf } from "../src/text/tokenizer.ts";
import { peakMemory } from "./peak_memory.ts";

const IMAGES = Deno.args.includes("--smoke") ? 80 : 80_000;
const CAPTIONS_OF_IMAGE = 5;
const MAX_SECONDS = 12;
const MAX_BYTES = 1e9;

const PEOPLE = [
  "A man",
  "Two women",
  "A young girl's brother",
  "The baker",
  "Several people",
  "A dog",
  "He who can't swim",
];
const DEEDS = ["is riding a bike", "isn't looking at a kite", "hold umbrellas", "waits", 'points to a "stop" sign'];
const THINGS = [
  "a red-brick house",
  "three boats",
  "the baker's van",
  "a plate of food",
  "an old clock",
  "a tennis court",
];
const PLACES = [
  "by the sea",
  "in front of a crowd of people, all of them seated",
  "on a sunny day",
  "at 10:30",
  "indoors",
];
const ENDS = [".", ".", ".", ".", "", " .", "!", ". "];

function choose(random: Random, words: readonly string[]): string {
  return words[random.below(words.length)] ?? "";
}

function makeCaption(random: Random): string {
  const parts = [PEOPLE, DEEDS, ["near", "with", "and"], THINGS, PLACES].map((words) => choose(random, words));
  return `${parts.join(" ")}${choose(random, ENDS)}`;
}

/** Text in pieces, so that the file is never whole in memory. */
function* makeFile(): Generator<string> {
  const random = new Random(1);
  yield '{"info":{"description":"made up"},"images":[';
  for (let id = 1; id <= IMAGES; id++) {
    const file = `COCO_train2014_${String(id).padStart(12, "0")}.jpg`;
    const url = `http://images.example.org/train2014/${file}`;
    const entry = { license: 5, file_name: file, coco_url: url, height: 480, width: 640, id };
    yield `${id === 1 ? "" : ","}${JSON.stringify({ ...entry, date_captured: "2013-11-14 16:28:13" })}`;
  }
  yield '],"licenses":[],"annotations":[';
  for (let id = 1; id <= IMAGES * CAPTIONS_OF_IMAGE; id++) {
    const entry = { image_id: random.below(IMAGES) + 1, id, caption: makeCaption(random) };
    yield `${id === 1 ? "" : ","}${JSON.stringify(entry)}`;
  }
  yield "]}\n";
}

async function writeCaptionsFile(folder: string): Promise<string> {
  const path = join(folder, "captions_train2014.json");
  const pieces = ReadableStream.from(makeFile()).pipeThrough(new TextEncoderStream());
  await Deno.writeFile(path, pieces);
  return path;
}

async function main(): Promise<number> {
  const folder = await Deno.makeTempDir();
  try {
    const path = await writeCaptionsFile(folder);
    const { size } = await Deno.stat(path);
    const [processor] = cpus();
    console.log(
      `machine      ${processor?.model}, ${navigator.hardwareConcurrency} core(s) used, Deno ${Deno.version.deno}`,
    );
    console.log(`file         ${(size / 1e6).toFixed(0)} MB, ${IMAGES} images, ${IMAGES * CAPTIONS_OF_IMAGE} captions`);

    const started = performance.now();
    const { rows } = await readCaptions(await findCaptions({ data: folder }));
    const read = performance.now();
    const tokens = rows.map(({ caption }) => tokenizerOf("nltk")(caption));
    const seconds = (performance.now() - started) / 1000;
    const bytes = await peakMemory(Deno.pid);
    console.log(`read         ${((read - started) / 1000).toFixed(2)} s, ${rows.length} captions`);
    console.log(`tokenized    ${(seconds - (read - started) / 1000).toFixed(2)} s, ${tokens.flat().length} tokens`);
    console.log(`both         ${seconds.toFixed(2)} s, at most ${MAX_SECONDS} s`);
    console.log(`peak memory  ${(bytes / 1e6).toFixed(0)} MB, at most ${MAX_BYTES / 1e6} MB`);
    return seconds <= MAX_SECONDS && bytes <= MAX_BYTES ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.exit(await main());
