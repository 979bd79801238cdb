import assert from "node:assert/strict";
import { readVocabularyFile, writeVocabularyFile } from "../../src/checkpoint/vocabulary_file.ts";
import { InputError } from "../../src/input_error.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const WORDS = ["<pad>", "<unk>", "<start>", "<end>", "a", "dög 🐕", "words"];
const DEFAULTS = {
  preprocessing: { imageSize: 224, shortSide: 256, applyExif: true },
  decoding: { maxLength: 20, beamSize: 3 },
};

async function read(text: string) {
  await using folder = await temporaryFolder();
  const path = folder.file("vocab.json");
  await Deno.writeTextFile(path, text);
  return await readVocabularyFile(path);
}

Deno.test({
  name: "readVocabularyFile() returns what writeVocabularyFile() wrote",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("vocab.json");
    const japanese = { maxLength: 8, beamSize: 1, tokenizer: "unicode" } as const;
    for (const decoding of [{ maxLength: 8, beamSize: 1 }, { firstWord: "a", maxLength: 29, beamSize: 2 }, japanese]) {
      const content = { vocabulary: WORDS, preprocessing: { imageSize: 32, shortSide: 40, applyExif: true }, decoding };
      await writeVocabularyFile(path, content);
      assert.deepEqual(await readVocabularyFile(path), content);
    }
  },
});

const FORMS: Record<string, unknown> = {
  "an array of words": WORDS,
  "an object from words to ids": Object.fromEntries(WORDS.map((word, id) => [word, id]).reverse()),
  "an object with an array": { words: WORDS },
  "an object with an object": { words: Object.fromEntries(WORDS.map((word, id) => [word, id])), note: "mine" },
};

for (const [what, value] of Object.entries(FORMS)) {
  Deno.test({
    name: `readVocabularyFile() takes ${what}, with the default settings`,
    ...NEEDS_FILES,
    async fn() {
      assert.deepEqual(await read(JSON.stringify(value)), { vocabulary: WORDS, ...DEFAULTS });
    },
  });
}

Deno.test({
  name: "readVocabularyFile() takes some settings, and scales images in the default's proportion",
  ...NEEDS_FILES,
  async fn() {
    const value = { words: WORDS, preprocessing: { imageSize: 112 }, decoding: { beamSize: 5 } };
    const { preprocessing, decoding } = await read(JSON.stringify(value));
    assert.deepEqual(preprocessing, { imageSize: 112, shortSide: 128, applyExif: true });
    assert.deepEqual(decoding, { maxLength: 20, beamSize: 5 });
  },
});

const REFUSED: Record<string, [text: string, message: RegExp]> = {
  "text": ["a dog", /it is not the JSON of a vocabulary, .*JSON/],
  "a number": ["7", /it is not a vocabulary, give an array of words, or an object/],
  "an array of numbers": ["[1, 2]", /it is not a vocabulary/],
  "an object of other things": ['{"a": "b"}', /it is not a vocabulary/],
  "an id that is not a whole number": ['{"a": 0.5}', /it is not a vocabulary/],
  "words of another kind": ['{"words": [1]}', /the field 'words/],
  "a wrong setting": ['{"words": ["a"], "decoding": {"beamSize": 0}}', /the field 'decoding\.beamSize' is wrong/],
  "a caption of a billion words": [
    '{"words": ["a"], "decoding": {"maxLength": 1000000000}}',
    /the field 'decoding\.maxLength' is wrong, it is 1000000000, give a whole number from 1 to 1000,/,
  ],
  "a beam of a billion captions": [
    '{"words": ["a"], "decoding": {"beamSize": 1000000000}}',
    /the field 'decoding\.beamSize' is wrong, it is 1000000000, give a whole number from 1 to 100,/,
  ],
  "images of a trillion pixels": [
    '{"words": ["a"], "preprocessing": {"imageSize": 1000000}}',
    /the field 'preprocessing\.imageSize' is wrong, it is 1000000, give a whole number from 1 to 4096,/,
  ],
  "more words than there are": [
    `[${Array.from({ length: 1_000_001 }, (_, id) => `"${id.toString(36)}"`).join(",")}]`,
    /it has 1000001 words, more than the 1000000 that can be$/,
  ],
  "a duplicate word": ['["a", "b", "a"]', /'a' is word 0 and word 2$/],
  "a duplicate key": ['{"a": 0, "b": 1, "a": 2}', /'a' occurs twice$/],
  "a duplicate id": ['{"a": 0, "b": 1, "c": 1}', /'b' and 'c' have the same id, 1$/],
  "an id that is missing": ['{"a": 0, "b": 1, "c": 3}', /no word has the id 2, ids must go from 0 to 2$/],
  "a first word that it lacks": [
    '{"words": ["a"], "decoding": {"firstWord": "b"}}',
    /"firstWord" is 'b', which is not one/,
  ],
  "a crop larger than the resized image": [
    '{"words": ["a"], "preprocessing": {"imageSize": 9, "shortSide": 8}}',
    /"imageSize" is 9, larger than "shortSide", which is 8$/,
  ],
  "nesting without end": ["[".repeat(100_000), /it is nested more than 2 levels deep$/],
};

for (const [what, [text, message]] of Object.entries(REFUSED)) {
  Deno.test({
    name: `readVocabularyFile() rejects ${what} in one line`,
    ...NEEDS_FILES,
    async fn() {
      await assert.rejects(read(text), (error) => {
        assert(error instanceof InputError);
        assert.match(error.message, /^Cannot read '[^']*vocab\.json': [^\n]*$/);
        assert.match(error.message, message);
        return true;
      });
    },
  });
}

Deno.test({
  name: "readVocabularyFile() names one of millions of wrong words, and makes no issue of each",
  ...NEEDS_FILES,
  async fn() {
    const numbers = `[${"1,".repeat(8_999_999)}1]`;
    const ids = Array.from({ length: 900_000 }, (_, id) => `"${id.toString(36)}":"b"`).join(",");
    for (
      const [text, message] of [
        [numbers, /it is not a vocabulary/],
        [`{"words":${numbers}}`, /the field 'words' is wrong/],
        [`{${ids}}`, /it is not a vocabulary/],
      ] as const
    ) {
      await assert.rejects(read(text), message);
    }
    assert.ok(Deno.memoryUsage().heapTotal < 2 ** 30, "the heap has grown");
  },
});
