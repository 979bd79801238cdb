/**
 * Which words may come next in a caption.
 *
 * @module
 */

import { InputError } from "../input_error.ts";

/** Options of {@linkcode Constraints}; all words are ids. */
export interface ConstraintsOptions {
  /** The id that ends a caption. */
  readonly end: number;
  /** Words that there are: ids from 0. */
  readonly words: number;
  /** The most words of a caption. */
  readonly maxLength: number;
  /**
   * The least words of a caption.
   *
   * @default {1}
   */
  readonly minLength?: number | undefined;
  /**
   * Words that are never written: padding, the unknown word, the start, and what the user forbids.
   *
   * @default {none}
   */
  readonly never?: readonly number[] | undefined;
  /**
   * Words that each caption holds.
   *
   * @default {none}
   */
  readonly forced?: readonly number[] | undefined;
  /**
   * The words that each caption begins with. They stand as they are, even where a word of them is never written otherwise.
   *
   * @default {none}
   */
  readonly prefix?: readonly number[] | undefined;
  /**
   * No sequence of so many words comes twice in a caption; 0 allows all.
   *
   * @default {0}
   */
  readonly noRepeatNgramSize?: number | undefined;
  /**
   * Words that no caption ends with, nor stands before one of `closers`.
   *
   * @default {none}
   */
  readonly badEndings?: readonly number[] | undefined;
  /**
   * Words that close a sentence: full stops. One that is a bad ending is none.
   *
   * @default {none}
   */
  readonly closers?: readonly number[] | undefined;
}

/** What may come after the words that stand there. */
export interface Permission {
  /** Whether a word, or the end, may come next. */
  permits(word: number): boolean;
  /** How many words are refused at most; `Infinity` where only few may come. */
  readonly refusals: number;
  /** The forced words that are still missing. */
  readonly missing: readonly number[];
}

/** What every caption keeps to. It lets no beginning come about that forced words, length or ending make impossible. */
export class Constraints {
  /** The id that ends a caption. */
  readonly end: number;
  /** The most words of a caption. */
  readonly maxLength: number;
  /** How many words are forced. */
  readonly forcedCount: number;
  readonly #words: number;
  readonly #minLength: number;
  readonly #noRepeatNgramSize: number;
  readonly #prefix: readonly number[];
  readonly #forced: readonly number[];
  readonly #never: Set<number>;
  readonly #badEndings: ReadonlySet<number>;
  readonly #closers: ReadonlySet<number>;

  /**
   * Checks that captions can keep to them.
   *
   * @param options See {@linkcode ConstraintsOptions}.
   * @throws {InputError} If no caption can.
   * @throws {RangeError} If a number is no integer from 0.
   */
  constructor(options: ConstraintsOptions) {
    const { end, words, maxLength, minLength = 1, never = [], forced = [], prefix = [], noRepeatNgramSize = 0 } =
      options;
    for (const [name, value] of Object.entries({ maxLength, minLength, noRepeatNgramSize })) {
      if (Number.isInteger(value) && value >= 0) continue;
      throw new RangeError(`Cannot write a caption: ${name} must be an integer from 0, got ${value}`);
    }
    this.end = end;
    this.maxLength = maxLength;
    this.#words = words;
    this.#minLength = Math.max(1, minLength);
    this.#noRepeatNgramSize = noRepeatNgramSize;
    this.#prefix = prefix;
    this.#forced = [...new Set(forced)];
    this.forcedCount = this.#forced.length;
    this.#never = new Set(never);
    this.#badEndings = new Set(options.badEndings);
    this.#closers = new Set(options.closers).difference(this.#badEndings);
    this.#check();
  }

  #check(): void {
    const [most, least] = [this.maxLength, this.#minLength];
    if (most < 1) throw impossible(`captions of at most ${most} words would be empty; allow more`);
    if (least > most) throw impossible(`captions of at least ${least} words cannot have at most ${most}`);
    const usable = Array.from({ length: this.#words }, (_, word) => word)
      .filter((word) => word !== this.end && !this.#never.has(word));
    const canFollow = usable.some((word) => this.#canEnd(word));
    // Nothing could come after a bad ending.
    if (!canFollow) { for (const word of this.#badEndings) this.#never.add(word); }
    if (this.#forced.some((word) => this.#never.has(word) && !this.#prefix.includes(word))) {
      throw impossible("a word is both forced and forbidden; leave out one of them");
    }
    if (this.#prefix.length > most) {
      throw impossible(`the beginning has ${this.#prefix.length} words, a caption at most ${most}; allow more words`);
    }
    const missing = this.missing(this.#prefix);
    const needed = this.#needed(missing, this.#endsBadly(this.#prefix));
    if (this.#prefix.length + needed > most) {
      throw impossible(`beginning, forced words and an ending take more than ${most} words; allow more words`);
    }
    if (this.#prefix.length >= least && this.#prefix.length > 0 && needed === 0) return;
    if (canFollow || (usable.some((word) => !this.#never.has(word)) && !this.#endsBadly(this.#prefix))) return;
    throw impossible("no word is left that a caption may be written with; forbid fewer words");
  }

  /**
   * How many ids of a model have no word: its layer may be larger than the vocabulary. They never come.
   *
   * @param vocabularySize The ids that the model has.
   */
  nameless(vocabularySize: number): number {
    return Math.max(0, vocabularySize - this.#words);
  }

  /**
   * Says what may come after the words that stand there.
   *
   * @param words A caption's first words.
   * @returns What may come next.
   */
  after(words: readonly number[]): Permission {
    const missing = this.missing(words);
    const given = this.#prefix[words.length];
    if (given !== undefined) return only([given], missing);
    const room = this.maxLength - words.length;
    if (room === 0) return only([this.end], missing);

    const endsBadly = this.#endsBadly(words);
    const refused = this.#repeating(words);
    if (endsBadly) { for (const word of this.#closers) refused.add(word); }
    if (words.length < this.#minLength || missing.length > 0 || endsBadly) refused.add(this.end);
    // Where room gets short, what would leave too little of it.
    if (missing.length + 1 >= room) {
      const fits = (word: number) =>
        this.#needed(missing.filter((other) => other !== word), this.#badEndings.has(word)) < room;
      if (this.#needed(missing, false) >= room) {
        return only(missing.filter((word) => fits(word) && !refused.has(word)), missing);
      }
      // Missing words always fit here: each leaves one less to come.
      for (const word of this.#badEndings) if (!fits(word)) refused.add(word);
    }
    return {
      permits: (word) => word < this.#words && !this.#never.has(word) && !refused.has(word),
      refusals: this.#never.size + refused.size,
      missing,
    };
  }

  /**
   * The forced words that a caption lacks.
   *
   * @param words Its words so far.
   */
  missing(words: readonly number[]): readonly number[] {
    return this.#forced.length === 0 ? this.#forced : this.#forced.filter((word) => !words.includes(word));
  }

  #endsBadly(words: readonly number[]): boolean {
    return this.#badEndings.has(words.at(-1) ?? -1);
  }

  /** The words that must come yet: those that are missing, and one that may be the last where none of them may. */
  #needed(missing: readonly number[], endsBadly: boolean): number {
    const isBad = (word: number) => this.#badEndings.has(word);
    const needsEnding = (endsBadly || missing.some(isBad)) && missing.every((word) => !this.#canEnd(word));
    return missing.length + (needsEnding ? 1 : 0);
  }

  /** Whether a word may be the last after any other. */
  #canEnd(word: number): boolean {
    return !this.#badEndings.has(word) && !this.#closers.has(word);
  }

  /** Words after which a sequence would stand there twice. */
  #repeating(words: readonly number[]): Set<number> {
    const repeating = new Set<number>();
    const before = this.#noRepeatNgramSize - 1;
    if (before < 0) return repeating;
    const last = words.length - before;
    for (let place = 0; place < last; place++) {
      let same = true;
      for (let index = 0; index < before; index++) same &&= words[place + index] === words[last + index];
      const next = words[place + before];
      if (same && next !== undefined) repeating.add(next);
    }
    return repeating;
  }
}

function only(words: readonly number[], missing: readonly number[]): Permission {
  return { permits: (word) => words.includes(word), refusals: Infinity, missing };
}

function impossible(reason: string): InputError {
  return new InputError(`Cannot write a caption: ${reason}`);
}
