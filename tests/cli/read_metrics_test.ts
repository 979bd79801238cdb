import assert from "node:assert/strict";
import { readMetrics } from "../../src/cli/read_metrics.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const SCORES = { Bleu_1: 0.6, Bleu_4: 0.2, CIDEr: 0.5, distinctFraction: 0.7, images: 3 };

Deno.test({
  name: "readMetrics() reads the scores of a model on the validation split, and no others",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const file = folder.file("scores.json");
    const write = (content: unknown) => Deno.writeTextFile(file, JSON.stringify(content));
    await write({ split: "validation", ...SCORES });
    assert.deepEqual(await readMetrics(file), { cider: 0.5, bleu4: 0.2, distinctFraction: 0.7 });
    const refused: [unknown, RegExp][] = [
      [
        { split: "test", ...SCORES },
        /^InputError: Cannot keep scores: .* has those of the split 'test'; give scores\.json of/,
      ],
      [
        SCORES,
        /^InputError: Cannot read scores: .* has no 'split'; give scores\.json of deno task evaluate --split validation/,
      ],
      [{ split: "validation" }, /^InputError: Cannot read scores: .* has no 'CIDEr'; give/],
    ];
    for (const [content, message] of refused) {
      await write(content);
      await assert.rejects(readMetrics(file), message);
    }
  },
});
