import assert from "node:assert/strict";
import { join } from "node:path";
import golden from "../golden/notebook_data.json" with { type: "json" };
import { readDataset } from "../../src/data/dataset.ts";
import { notebookCaption, Vocabulary } from "../../src/text/vocabulary.ts";
import { splitByCaption } from "../../src/data/splits.ts";
import { tokenize } from "../../src/text/tokenizer.ts";
import { testData } from "../support/test_data.ts";

async function sha256(data: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

Deno.test({
  name: "the notebook's rows, vocabulary, encoded captions and split sizes are those of pandas and NLTK",
  ignore: testData === undefined,
  async fn() {
    const { rows, examples } = await readDataset({ data: join(testData ?? "", "flickr8k-mini") });
    assert.equal(rows.length, golden.captions);
    assert.equal(examples.length, golden.images);
    const lines = rows.map(({ example, caption }) => `${example.name}\t${caption}\n`);
    assert.equal(await sha256(lines.join("")), golden.rowsSha256);

    const tokenLists = rows.map(({ caption }) => tokenize(caption));
    assert.equal(Math.max(...tokenLists.map((tokens) => tokens.length)), golden.longestCaption);
    const vocabulary = Vocabulary.notebook(tokenLists);
    assert.equal(vocabulary.size, golden.vocabularySize);
    assert.equal(await sha256(vocabulary.words.join("\n")), golden.vocabularySha256);

    const encoded = new DataView(new ArrayBuffer(rows.length * 30 * 4));
    for (const [row, tokens] of tokenLists.entries()) {
      for (const [column, id] of notebookCaption(tokens, vocabulary).entries()) {
        encoded.setInt32((row * 30 + column) * 4, id, true);
      }
    }
    assert.equal(await sha256(new Uint8Array(encoded.buffer)), golden.encodedSha256);

    const { train, validation, test } = splitByCaption(rows, { seed: 0 });
    assert.deepEqual([train.length, validation.length, test.length], golden.splits);
  },
});
