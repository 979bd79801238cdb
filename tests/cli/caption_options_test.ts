import assert from "node:assert/strict";
import { addCaptionOptions, parseCaptionOptions } from "../../src/cli/caption_options.ts";
import { createCommand } from "../../src/cli/command.ts";
import { captionCommand } from "../../src/cli/commands/caption.ts";
import { InputError } from "../../src/input_error.ts";

function parse(...args: string[]) {
  let text = "";
  const command = addCaptionOptions(createCommand("caption", "Captions images."))
    .configureOutput({ writeOut: (piece) => text += piece, writeErr: (piece) => text += piece });
  try {
    command.parse([...args, "photo.jpg"], { from: "user" });
  } catch {
    return { text, options: undefined };
  }
  return { text, options: parseCaptionOptions(command.opts()) };
}

function decodingOf(...args: string[]) {
  const decoding = Object.entries(parse(...args).options?.decoding ?? { nothing: true });
  return Object.fromEntries(decoding.filter(([, value]) => value !== undefined));
}

Deno.test("Without options, captioning uses the checkpoint's own", () => {
  assert.deepEqual(decodingOf(), {});
  const { options } = parse();
  assert.deepEqual([options?.checkpoint, options?.format, options?.recursive], [[], "text", false]);
});

Deno.test("Each decoding option sets its value", () => {
  assert.deepEqual(
    decodingOf("--beam", "5", "--n-best", "4", "--length-penalty", "0.7", "--min-length", "3", "--max-length", "9"),
    { beamSize: 5, nBest: 4, lengthPenalty: 0.7, minLength: 3, maxLength: 9 },
  );
  assert.deepEqual(
    decodingOf("--block-ngrams", "2", "--with", "dog", "--with", "ball", "--without", "cat", "--begin", "two dogs"),
    { noRepeatNgramSize: 2, forced: ["dog", "ball"], forbidden: ["cat"], prefix: "two dogs" },
  );
  assert.deepEqual(decodingOf("--any-ending"), { badEndings: [] });
  assert.deepEqual(decodingOf("--beam-groups", "3", "--diversity-penalty", "1.5"), {
    diversity: { numBeamGroups: 3, diversityPenalty: 1.5 },
  });
});

Deno.test("Any sampling option turns sampling on", () => {
  const sampling = { temperature: undefined, topK: undefined, topP: undefined, seed: undefined };
  assert.deepEqual(decodingOf("--sample"), { sampling });
  assert.deepEqual(decodingOf("--temperature", "0.8"), { sampling: { ...sampling, temperature: 0.8 } });
  assert.deepEqual(decodingOf("--top-k", "5", "--top-p", "0.9"), { sampling: { ...sampling, topK: 5, topP: 0.9 } });
  assert.deepEqual(decodingOf("--seed", "7"), { sampling: { ...sampling, seed: 7 } });
});

Deno.test("Several checkpoints may be given, and one format", () => {
  assert.deepEqual(parse("--checkpoint", "a", "--checkpoint", "b").options?.checkpoint, ["a", "b"]);
  assert.equal(parse("--json").options?.format, "json");
  assert.equal(parse("--jsonl").options?.format, "jsonl");
  for (const ending of ["csv", "tsv", "jsonl", "CSV"]) {
    assert.equal(parse("--out", `a.${ending}`).options?.format, ending.toLowerCase());
  }
  assert.throws(() => parse("--out", "captions.xlsx"), /^InputError: .*must end in \.csv, \.tsv or \.jsonl/);
  assert.equal(parse("--sidecar", "xmp").options?.sidecar, "xmp");
});

const REFUSED: Record<string, [args: string[], message: RegExp]> = {
  "a file and a format of standard output": [["--out", "a.csv", "--json"], /cannot be used with option/],
  "an unknown sidecar": [["--sidecar", "exif"], /Allowed choices are txt, xmp/],
  "two formats": [["--json", "--jsonl"], /option '--jsonl' cannot be used with option '--json'/],
  "to sample with a beam": [["--sample", "--beam", "3"], /option '--sample' cannot be used with option '--beam <n>'/],
  "a temperature of 0": [["--temperature", "0"], /It must be a number above 0\./],
  "a probability above 1": [["--top-p", "1.5"], /It must be a number above 0, at most 1\./],
  "a length penalty that is not a number": [["--length-penalty", "long"], /It must be a number, 0 or more\./],
  "no captions": [["--n-best", "0"], /It must be a whole number, 1 or more\./],
};

for (const [what, [args, message]] of Object.entries(REFUSED)) {
  Deno.test(`The options of captioning refuse ${what} in one line`, () => {
    const { text, options } = parse(...args);
    assert.equal(options, undefined);
    assert.match(text, message);
    assert.equal(text.trimEnd().split("\n").length, 1);
  });
}

Deno.test("The options of captioning refuse a diversity penalty without groups", () => {
  assert.throws(
    () => parse("--diversity-penalty", "1"),
    (error) =>
      error instanceof InputError && /^Cannot apply --diversity-penalty: it needs --beam-groups;/.test(error.message),
  );
});

Deno.test("The help has an example of each way to caption", () => {
  let text = "";
  captionCommand().configureOutput({ writeOut: (piece) => text += piece }).outputHelp();
  for (
    const part of ["--n-best 5", "--jsonl", "--sample", "--beam-groups 5", "--with frisbee", "| deno task caption -"]
  ) {
    assert(text.includes(part), part);
  }
});
