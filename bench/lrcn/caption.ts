/**
 * Captions of image files as `deno task caption` writes them; bench/contender.ts runs this.
 *
 *     caption.ts '{"checkpoint": file, "beamSize": 3, "files": [...], ...}', a CaptionSettings of bench/context.ts
 *
 * It answers with {"seconds", "captions"}. A single file is captioned as a program does that uses the library.
 *
 * @module
 */

import { Captioner } from "../../src/captioning/captioner.ts";
import { captionFiles } from "../../src/captioning/caption_files.ts";
import { decodeImage } from "../../src/images/decode_image.ts";
import type { CaptionSettings } from "../context.ts";
import { answer } from "../contender.ts";

const settings: CaptionSettings = JSON.parse(Deno.args[0] ?? "{}");
const { checkpoint, precision, device, beamSize, files } = settings;
using captioner = await Captioner.load(checkpoint, { precision, device });

async function measureOne(path: string) {
  const start = performance.now();
  const [caption] = await captioner.caption([await decodeImage(await Deno.readFile(path))], {
    beamSize,
    badEndings: [],
  });
  return { seconds: (performance.now() - start) / 1000, captions: [caption?.tokens.join(" ")] };
}

async function measure(names: readonly string[]) {
  const inputs = ReadableStream.from(names.map((path) => ({ name: path, path })));
  const captions: string[] = [];
  const start = performance.now();
  for await (const result of captionFiles(captioner, inputs, { beamSize, badEndings: [] })) {
    if ("tokens" in result) captions.push(result.tokens.join(" "));
  }
  return { seconds: (performance.now() - start) / 1000, captions };
}

await measure(files.slice(0, 16));
const [one, ...others] = files;
await answer(() => one !== undefined && others.length === 0 ? measureOne(one) : measure(files));
