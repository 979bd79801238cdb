import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";

/**
 * The padding of short captions; its id is 0.
 *
 * @example The ids of the special words
 * ```ts
 * import assert from "node:assert/strict";
 * import { END, PAD, START, UNKNOWN } from "@lrcn/lrcn/data";
 * import { Vocabulary } from "@lrcn/lrcn";
 *
 * assert.deepEqual(Vocabulary.fromTokens([]).words, [PAD, UNKNOWN, START, END]);
 * ```
 */
export const PAD = "<pad>";
/**
 * The replacement for words outside the vocabulary; its id is 1.
 *
 * @example A word outside the vocabulary
 * ```ts
 * import assert from "node:assert/strict";
 * import { UNKNOWN } from "@lrcn/lrcn/data";
 * import { Vocabulary } from "@lrcn/lrcn";
 *
 * const vocabulary = Vocabulary.fromTokens([["a", "kite"]], { minCount: 1 });
 * assert.deepEqual(vocabulary.encode(["a", "boat"]).map((id) => vocabulary.word(id)), ["a", UNKNOWN]);
 * ```
 */
export const UNKNOWN = "<unk>";
/**
 * The word before a caption; its id is 2 if the vocabulary has it.
 *
 * @example What a caption begins with
 * ```ts
 * import assert from "node:assert/strict";
 * import { START } from "@lrcn/lrcn/data";
 * import { Vocabulary } from "@lrcn/lrcn";
 *
 * const vocabulary = Vocabulary.fromTokens([["a", "kite"]], { minCount: 1 });
 * assert.equal(vocabulary.word(vocabulary.start ?? -1), START);
 * ```
 */
export const START = "<start>";
/**
 * The word after a caption; its id is 3 if the vocabulary has it.
 *
 * @example What a caption ends with
 * ```ts
 * import assert from "node:assert/strict";
 * import { END } from "@lrcn/lrcn/data";
 * import { Vocabulary } from "@lrcn/lrcn";
 *
 * const vocabulary = Vocabulary.fromTokens([["a", "kite"]], { minCount: 1 });
 * assert.equal(vocabulary.word(vocabulary.end ?? -1), END);
 * ```
 */
export const END = "<end>";

/** Options of {@linkcode Vocabulary.fromTokens}. */
export interface VocabularyOptions {
  /**
   * Minimum number of occurrences of a word.
   *
   * @default {5}
   */
  minCount?: number;
}

/**
 * A list of words; the index of a word is its token id. `<pad>` is 0 and `<unk>` is 1; `<start>` and `<end>` are 2 and
 * 3 or are absent (the notebook's vocabulary has none).
 *
 * @example Words to ids and back
 * ```ts
 * import assert from "node:assert/strict";
 * import { Vocabulary } from "@lrcn/lrcn";
 *
 * const vocabulary = Vocabulary.fromTokens([["a", "red", "kite"], ["a", "kite"]], { minCount: 2 });
 * assert.deepEqual(vocabulary.words, ["<pad>", "<unk>", "<start>", "<end>", "a", "kite"]);
 * assert.deepEqual(vocabulary.encode(["a", "red", "kite"]), [4, 1, 5]);
 * assert.equal(vocabulary.word(5), "kite");
 * ```
 */
export class Vocabulary {
  /** The words in the order of their ids. */
  readonly words: readonly string[];
  /** The id of `<pad>`. */
  readonly pad = 0;
  /** The id of `<unk>`. */
  readonly unknown = 1;
  /** The id of `<start>`, or undefined if the vocabulary has none. */
  readonly start: number | undefined;
  /** The id of `<end>`, or undefined if the vocabulary has none. */
  readonly end: number | undefined;
  readonly #ids: ReadonlyMap<string, number>;

  /**
   * Takes a complete list of words, for example from a checkpoint.
   *
   * @throws {InputError} If a special word is missing or misplaced, or a word is empty or occurs twice.
   */
  constructor(words: readonly string[]) {
    const ids = new Map<string, number>();
    for (const [id, word] of words.entries()) {
      if (typeof word !== "string" || word === "") {
        throw new InputError(`Cannot read vocabulary: word ${id} is empty or not text; use another checkpoint`);
      }
      const first = ids.get(word);
      if (first !== undefined) {
        throw new InputError(
          `Cannot read vocabulary: ${quoted(word)} is word ${first} and word ${id}; use another checkpoint`,
        );
      }
      ids.set(word, id);
    }
    const hasStart = ids.has(START) || ids.has(END);
    for (const [id, word] of [PAD, UNKNOWN, START, END].entries()) {
      if (id >= 2 && !hasStart) break;
      if (ids.get(word) !== id) {
        throw new InputError(
          `Cannot read vocabulary: word ${id} must be '${word}', got ${
            words[id] === undefined ? "nothing" : quoted(words[id])
          }; ` +
            "use another checkpoint",
        );
      }
    }
    this.words = [...words];
    this.start = ids.get(START);
    this.end = ids.get(END);
    this.#ids = ids;
  }

  /**
   * The notebook's vocabulary: `<pad>`, `<unk>`, then every word in the order of first appearance.
   *
   * @param tokenLists The tokens of all captions, in file order.
   */
  static notebook(tokenLists: Iterable<readonly string[]>): Vocabulary {
    const words = new Set([PAD, UNKNOWN]);
    for (const tokens of tokenLists) {
      for (const token of tokens) words.add(token);
    }
    return new Vocabulary([...words]);
  }

  /**
   * The default vocabulary: `<pad>`, `<unk>`, `<start>`, `<end>`, then the words with at least `minCount` occurrences,
   * most frequent first, equally frequent words in the order of first appearance.
   *
   * @param tokenLists The tokens of the training captions.
   * @throws {RangeError} If `minCount` is not a positive integer.
   */
  static fromTokens(tokenLists: Iterable<readonly string[]>, options: VocabularyOptions = {}): Vocabulary {
    const { minCount = 5 } = options;
    if (!Number.isInteger(minCount) || minCount < 1) {
      throw new RangeError(`Cannot make vocabulary: minCount must be a positive integer, got ${minCount}`);
    }
    const counts = new Map<string, number>();
    for (const tokens of tokenLists) {
      for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    const specials = [PAD, UNKNOWN, START, END];
    for (const special of specials) counts.delete(special);
    const frequent = [...counts].filter(([, count]) => count >= minCount);
    // Sorting is stable, and a Map keeps the order of first appearance.
    frequent.sort(([, count], [, otherCount]) => otherCount - count);
    return new Vocabulary([...specials, ...frequent.map(([word]) => word)]);
  }

  /** A vocabulary with more words: those of this one keep their ids, and new ones follow in their order. */
  extend(words: Iterable<string>): Vocabulary {
    return new Vocabulary([...new Set([...this.words, ...words])]);
  }

  /** The number of words, including special words. */
  get size(): number {
    return this.words.length;
  }

  /** The ids of tokens; 1 (`<unk>`) for tokens outside the vocabulary. */
  encode(tokens: readonly string[]): number[] {
    return tokens.map((token) => this.#ids.get(token) ?? this.unknown);
  }

  /**
   * The word with an id.
   *
   * @throws {RangeError} If no word has the id.
   */
  word(id: number): string {
    const word = this.words[id];
    if (word === undefined) {
      throw new RangeError(`Cannot look up word: id must be an integer from 0 to ${this.size - 1}, got ${id}`);
    }
    return word;
  }
}

/** Encodes a caption as the notebook does: truncated, and padded with `<pad>` to `length` ids. */
export function notebookCaption(
  tokens: readonly string[],
  vocabulary: Vocabulary,
  length = 30,
): Int32Array<ArrayBuffer> {
  const ids = new Int32Array(length).fill(vocabulary.pad);
  ids.set(vocabulary.encode(tokens.slice(0, length)));
  return ids;
}

/**
 * Encodes a caption as the lrcn recipe does: `<start>`, at most `maxLength` tokens, `<end>`, without padding.
 *
 * @throws {TypeError} If the vocabulary has no `<start>` and `<end>`.
 */
export function lrcnCaption(
  tokens: readonly string[],
  vocabulary: Vocabulary,
  maxLength = 20,
): Int32Array<ArrayBuffer> {
  const { start, end } = vocabulary;
  if (start === undefined || end === undefined) {
    throw new TypeError("Cannot encode caption: the vocabulary has no <start> and <end>");
  }
  return Int32Array.of(start, ...vocabulary.encode(tokens.slice(0, maxLength)), end);
}

/**
 * A vocabulary whose special words may have any id, or be missing. `Vocabulary` is one; other programs number them
 * differently.
 */
export interface CaptionVocabulary {
  /** The words in the order of their ids. */
  readonly words: readonly string[];
  /** The id of the padding, if any. */
  readonly pad: number | undefined;
  /** The id for unknown words, if any. */
  readonly unknown: number | undefined;
  /** The id before a caption, if any. */
  readonly start: number | undefined;
  /** The id after a caption, if any. */
  readonly end: number | undefined;
}

/**
 * Finds the special words by name: `<pad>`, `<unk>`, `<start>` and `<end>`.
 *
 * @example Special words with the last ids
 * ```ts
 * import assert from "node:assert/strict";
 * import { findSpecialWords } from "./vocabulary.ts";
 *
 * const { start, pad } = findSpecialWords(["a", "dog", "<start>", "<end>"]);
 * assert.deepEqual([start, pad], [2, undefined]);
 * ```
 */
export function findSpecialWords(words: readonly string[]): CaptionVocabulary {
  const [pad, unknown, start, end] = [PAD, UNKNOWN, START, END].map((word) => {
    const id = words.indexOf(word);
    return id < 0 ? undefined : id;
  });
  return { words, pad, unknown, start, end };
}

/**
 * Looks a word up as it is, and with its accents in Unicode's composed and decomposed form: vocabularies of other programs
 * have either.
 */
export function findInEitherForm<Found>(
  word: string,
  find: (word: string) => Found | undefined,
): Found | undefined {
  return find(word) ?? find(word.normalize("NFC")) ?? find(word.normalize("NFD"));
}
