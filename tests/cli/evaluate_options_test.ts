import assert from "node:assert/strict";
import { createCommand } from "../../src/cli/command.ts";
import { addEvaluateOptions, parseEvaluateOptions } from "../../src/cli/evaluate_options.ts";
import { InputError } from "../../src/input_error.ts";

function parse(...words: string[]) {
  const command = addEvaluateOptions(createCommand("evaluate", ""));
  command.parse(words, { from: "user" });
  return parseEvaluateOptions(command.opts(), (path) => `/home/ada/${path}`);
}

function refuses(words: readonly string[], pattern: RegExp): void {
  assert.throws(() => parse(...words), (error) => error instanceof InputError && pattern.test(error.message));
}

Deno.test("parseEvaluateOptions() takes a model and data, by default the test split", () => {
  const options = parse("--checkpoint", "a", "--checkpoint", "b", "--data", "d", "--beam", "5", "--out", "o");
  assert("checkpoint" in options);
  assert.deepEqual([options.checkpoint, options.split], [["a", "b"], "test"]);
  assert.deepEqual([options.dataset, options.decoding.beamSize], [{ data: "/home/ada/d" }, 5]);
  assert.deepEqual([options.out, options.perImage, options.json], ["/home/ada/o", false, false]);
  const elsewhere = parse("--checkpoint", "a", "--captions", "c", "--images", "i", "--split", "all");
  assert("checkpoint" in elsewhere);
  assert.deepEqual([elsewhere.dataset, elsewhere.split], [{ captions: "/home/ada/c", images: "/home/ada/i" }, "all"]);
  const several = parse("--checkpoint", "a", "--captions", "c", "--captions", "d");
  assert("checkpoint" in several);
  assert.deepEqual(several.dataset, { captions: ["/home/ada/c", "/home/ada/d"] });
});

Deno.test("parseEvaluateOptions() takes files of captions and references", () => {
  assert.deepEqual(parse("--predictions", "p", "--references", "r", "--meteor-jar", "m", "--per-image", "--json"), {
    predictions: "/home/ada/p",
    references: "/home/ada/r",
    meteorJar: "/home/ada/m",
    perImage: true,
    json: true,
  });
});

Deno.test("parseEvaluateOptions() refuses incomplete options, and a model together with a file", () => {
  refuses([], /^Cannot evaluate: /);
  refuses(["--checkpoint", "a"], /^Cannot evaluate: no data is named/);
  refuses(["--data", "d"], /give --checkpoint FILE and --data PATH/);
  refuses(["--predictions", "p"], /give both --predictions FILE and --references FILE$/);
  refuses(["--predictions", "p", "--references", "r", "--checkpoint", "a"], /leave --checkpoint or --predictions out$/);
});
