import assert from "node:assert/strict";
import { createCommand } from "../../src/cli/command.ts";
import { addLabelOptions, parseLabelOptions } from "../../src/cli/label_options.ts";

function parse(...args: readonly string[]) {
  const command = addLabelOptions(createCommand("label", "Labels.")).configureOutput({ writeErr: () => {} });
  command.parse([...args], { from: "user" });
  return parseLabelOptions(command.opts());
}

Deno.test("label needs a folder and a CSV file", () => {
  const { images, labels, port } = parse("--images", "photos", "--labels", "mine.CSV");
  assert.deepEqual([images, labels, port], ["photos", "mine.CSV", 8000]);
  assert.throws(() => parse("--images", "photos"), /--labels/);
  assert.throws(() => parse("--labels", "mine.csv"), /--images/);
  for (const name of ["mine.txt", "mine", ".csv", "photos/.csv", "mine.csv/"]) {
    assert.throws(() => parse("--images", "photos", "--labels", name), /must end in \.csv/, name);
  }
});
