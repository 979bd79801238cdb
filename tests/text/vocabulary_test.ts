import assert from "node:assert/strict";
import { InputError } from "../../src/input_error.ts";
import { lrcnCaption, notebookCaption, Vocabulary } from "../../src/text/vocabulary.ts";

const TOKENS = ["a", "red", "kite"];

const captions = [["a", "red", "kite"], ["the", "kite", "and", "the", "red", "boat"], ["the", "kite"]];

Deno.test("Vocabulary.notebook() numbers words in the order of first appearance", () => {
  const vocabulary = Vocabulary.notebook(captions);
  assert.deepEqual(vocabulary.words, ["<pad>", "<unk>", "a", "red", "kite", "the", "and", "boat"]);
  assert.equal(vocabulary.start, undefined);
  assert.equal(vocabulary.end, undefined);
});

Deno.test("Vocabulary.fromTokens() puts common words first, and equally common ones as they appear", () => {
  const vocabulary = Vocabulary.fromTokens(captions, { minCount: 1 });
  assert.deepEqual(vocabulary.words, ["<pad>", "<unk>", "<start>", "<end>", "kite", "the", "red", "a", "and", "boat"]);
  assert.deepEqual([vocabulary.pad, vocabulary.unknown, vocabulary.start, vocabulary.end], [0, 1, 2, 3]);
});

Deno.test("Vocabulary.fromTokens() skips rare words, fewer than five times by default", () => {
  assert.deepEqual(Vocabulary.fromTokens(captions, { minCount: 3 }).words.slice(4), ["kite", "the"]);
  assert.deepEqual(Vocabulary.fromTokens([...captions, ...captions]).words.slice(4), ["kite", "the"]);
  assert.throws(() => Vocabulary.fromTokens(captions, { minCount: 0 }), RangeError);
});

Deno.test("Vocabulary.encode() gives 1 for unknown words", () => {
  assert.deepEqual(Vocabulary.notebook(captions).encode(["kite", "zebra", "a"]), [4, 1, 2]);
});

Deno.test("Vocabulary knows no word from JavaScript's own objects, and learns such words as any other", () => {
  const traps = ["constructor", "__proto__", "toString", "hasOwnProperty"];
  assert.deepEqual(Vocabulary.notebook(captions).encode(traps), [1, 1, 1, 1]);
  assert.deepEqual(Vocabulary.notebook([traps]).encode(traps), [2, 3, 4, 5]);
  assert.deepEqual(Vocabulary.fromTokens([traps], { minCount: 1 }).encode(traps), [4, 5, 6, 7]);
});

Deno.test("Vocabulary does not take a special word from a caption twice", () => {
  assert.deepEqual(Vocabulary.notebook([["<pad>", "a"]]).words, ["<pad>", "<unk>", "a"]);
  assert.deepEqual(Vocabulary.fromTokens([["<end>", "a"]], { minCount: 1 }).words.slice(3), ["<end>", "a"]);
});

Deno.test("Vocabulary.word() gives the word of an id and rejects ids that it does not have", () => {
  const vocabulary = Vocabulary.notebook(captions);
  assert.equal(vocabulary.size, 8);
  assert.equal(vocabulary.word(7), "boat");
  for (const id of [-1, 8, 0.5]) assert.throws(() => vocabulary.word(id), RangeError);
});

Deno.test("Vocabulary takes the words of a checkpoint and keeps their order", () => {
  const { words } = Vocabulary.fromTokens(captions, { minCount: 1 });
  assert.deepEqual(new Vocabulary(words).words, words);
});

Deno.test("Vocabulary.extend() keeps all ids, and appends new words in their order", () => {
  const vocabulary = new Vocabulary(["<pad>", "<unk>", "<start>", "<end>", "kite", "a"]);
  const extended = vocabulary.extend(["<pad>", "a", "boat", "red", "boat"]);
  assert.deepEqual(extended.words, [...vocabulary.words, "boat", "red"]);
  assert.deepEqual(vocabulary.extend(["a"]).words, vocabulary.words);
});

Deno.test("Vocabulary rejects misplaced special words, and empty or duplicate words", () => {
  const wrong: [string[], RegExp][] = [
    [[], /word 0 must be '<pad>', got nothing/],
    [["<unk>", "<pad>"], /word 0 must be '<pad>', got '<unk>'/],
    [["<pad>", "a"], /word 1 must be '<unk>', got 'a'/],
    [["<pad>", "<unk>", "<start>"], /word 3 must be '<end>', got nothing/],
    [["<pad>", "<unk>", "a", "<end>"], /word 2 must be '<start>', got 'a'/],
    [["<pad>", "<unk>", "a", "b", "a"], /'a' is word 2 and word 4/],
    [["<pad>", "<unk>", ""], /word 2 is empty/],
  ];
  for (const [words, message] of wrong) {
    assert.throws(() => new Vocabulary(words), (error) => error instanceof InputError && message.test(error.message));
  }
});

Deno.test("notebookCaption() pads short captions, cuts long ones and writes 1 for unknown words", () => {
  const vocabulary = Vocabulary.notebook([TOKENS]);
  assert.deepEqual([...notebookCaption(["red", "fox"], vocabulary, 4)], [3, 1, 0, 0]);
  assert.deepEqual([...notebookCaption([...TOKENS, "a", "red"], vocabulary, 4)], [2, 3, 4, 2]);
  assert.equal(notebookCaption([], vocabulary).length, 30);
});

Deno.test("lrcnCaption() adds <start> and <end>, and keeps at most maxLength words", () => {
  const vocabulary = Vocabulary.fromTokens([TOKENS], { minCount: 1 });
  assert.deepEqual([...lrcnCaption(TOKENS, vocabulary)], [2, 4, 5, 6, 3]);
  assert.deepEqual([...lrcnCaption(["fox", "red", "kite"], vocabulary, 2)], [2, 1, 5, 3]);
  assert.equal(lrcnCaption(new Array(50).fill("red"), vocabulary).length, 22);
  assert.throws(() => lrcnCaption(TOKENS, Vocabulary.notebook([TOKENS])), TypeError);
});

Deno.test("Vocabulary shortens a word of enormous length in its messages", () => {
  const word = "x".repeat(100_000);
  for (const words of [["<pad>", "<unk>", word, word], [word], ["<pad>", "<unk>", "<start>", word]]) {
    assert.throws(() => new Vocabulary(words), (error) => error instanceof InputError && error.message.length < 200);
  }
});
