import assert from "node:assert/strict";
import { addCaptionOptions, parseCaptionOptions } from "../../src/cli/caption_options.ts";
import { createCommand } from "../../src/cli/command.ts";
import { addEngineOptions, parseEngineOptions } from "../../src/cli/engine_options.ts";
import { addEvaluateOptions, parseEvaluateOptions } from "../../src/cli/evaluate_options.ts";
import { addRetrieveOptions, parseRetrieveOptions } from "../../src/cli/retrieve_options.ts";

const GIVEN = ["--device", "cpu", "--precision", "fp32", "--threads", "3"];
const READ = { device: "cpu", precision: "fp32", threads: 3 };
const samePath = (path: string) => path;

Deno.test("Without engine options, none is set", () => {
  const command = addEngineOptions(createCommand("test", "Tests."));
  command.parse([], { from: "user" });
  assert.deepEqual(parseEngineOptions(command.opts()), {});
});

Deno.test("Each task with a model accepts device, precision and threads", () => {
  const caption = addCaptionOptions(createCommand("caption", "Captions."));
  caption.parse([...GIVEN, "photo.jpg"], { from: "user" });
  assert.deepEqual(parseCaptionOptions(caption.opts()).engine, READ);

  const evaluate = addEvaluateOptions(createCommand("evaluate", "Scores."));
  evaluate.parse([...GIVEN, "--checkpoint", "best.safetensors", "--data", "photos"], { from: "user" });
  const evaluated = parseEvaluateOptions(evaluate.opts(), samePath);
  assert.deepEqual("engine" in evaluated && evaluated.engine, READ);

  const retrieve = addRetrieveOptions(createCommand("retrieve", "Finds."));
  retrieve.parse([...GIVEN, "--query", "a dog", "--images", "photos"], { from: "user" });
  assert.deepEqual(parseRetrieveOptions(retrieve.opts(), samePath).engine, READ);
});

Deno.test("An unknown precision or device is refused with the list of choices", () => {
  for (const [flag, choice] of [["--device", "cpu, cuda"], ["--precision", "fp32, fp32-strict, bf16, fp64"]] as const) {
    let text = "";
    const command = addEngineOptions(createCommand("test", "Tests."))
      .configureOutput({ writeErr: (piece) => text += piece });
    assert.throws(() => command.parse([flag, "tpu"], { from: "user" }));
    assert.ok(text.includes(`Allowed choices are auto, ${choice}`), text);
  }
});
