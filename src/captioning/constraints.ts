import { InputError } from "../input_error.ts";

/** Options of {@linkcode Constraints}; all tokens are ids. */
export interface ConstraintsOptions {
  /** The id of `<end>`. */
  readonly end: number;
  /** Size of the vocabulary. */
  readonly vocabularySize: number;
  /** Maximum length of a caption, in tokens. */
  readonly maxLength: number;
  /**
   * Minimum length of a caption, in tokens.
   *
   * @default {1}
   */
  readonly minLength?: number | undefined;
  /**
   * Tokens that are never generated: `<pad>`, `<unk>`, `<start>`, and those that the user forbids.
   *
   * @default {none}
   */
  readonly never?: readonly number[] | undefined;
  /**
   * Tokens that each caption contains.
   *
   * @default {none}
   */
  readonly forced?: readonly number[] | undefined;
  /**
   * Tokens that each caption begins with. They are kept as they are, even if one is in `never`.
   *
   * @default {none}
   */
  readonly prefix?: readonly number[] | undefined;
  /**
   * No n-gram of this size occurs twice in a caption; 0 allows all.
   *
   * @default {0}
   */
  readonly noRepeatNgramSize?: number | undefined;
  /**
   * Tokens that no caption ends with, and that never precede one of `closers`.
   *
   * @default {none}
   */
  readonly badEndings?: readonly number[] | undefined;
  /**
   * Tokens that close a sentence, such as a full stop. A bad ending is never a closer.
   *
   * @default {none}
   */
  readonly closers?: readonly number[] | undefined;
}

/** The tokens that may follow a partial caption. */
export interface Permission {
  /** Whether a token, or the end, may come next. */
  permits(token: number): boolean;
  /** Upper bound of the tokens refused; `Infinity` if only a few may come. */
  readonly refusals: number;
  /** The forced tokens that are still missing. */
  readonly missing: readonly number[];
}

/** The constraints of every caption. No partial caption arises that forced tokens, length or ending make impossible. */
export class Constraints {
  /** The id of `<end>`. */
  readonly end: number;
  /** Maximum length of a caption, in tokens. */
  readonly maxLength: number;
  /** Number of forced tokens. */
  readonly forcedCount: number;
  readonly #vocabularySize: number;
  readonly #minLength: number;
  readonly #noRepeatNgramSize: number;
  readonly #prefix: readonly number[];
  readonly #forced: readonly number[];
  readonly #never: Set<number>;
  readonly #badEndings: ReadonlySet<number>;
  readonly #closers: ReadonlySet<number>;

  /**
   * Checks that captions can satisfy the constraints.
   *
   * @throws {InputError} If no caption can.
   * @throws {RangeError} If a number is not an integer from 0.
   */
  constructor(options: ConstraintsOptions) {
    const {
      end,
      vocabularySize,
      maxLength,
      minLength = 1,
      never = [],
      forced = [],
      prefix = [],
      noRepeatNgramSize = 0,
    } = options;
    for (const [name, value] of Object.entries({ maxLength, minLength, noRepeatNgramSize })) {
      if (Number.isInteger(value) && value >= 0) continue;
      throw new RangeError(`Cannot write a caption: ${name} must be an integer from 0, got ${value}`);
    }
    this.end = end;
    this.maxLength = maxLength;
    this.#vocabularySize = vocabularySize;
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
    const usable = Array.from({ length: this.#vocabularySize }, (_, token) => token)
      .filter((token) => token !== this.end && !this.#never.has(token));
    const canFollow = usable.some((token) => this.#canEnd(token));
    // No token could follow a bad ending.
    if (!canFollow) { for (const token of this.#badEndings) this.#never.add(token); }
    if (this.#forced.some((token) => this.#never.has(token) && !this.#prefix.includes(token))) {
      throw impossible("a word is both forced and forbidden; remove one of them");
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
    if (canFollow || (usable.some((token) => !this.#never.has(token)) && !this.#endsBadly(this.#prefix))) return;
    throw impossible("no word is allowed any more; forbid fewer words");
  }

  /** The model's ids beyond the vocabulary, if its output layer is larger; they are never generated. */
  beyondVocabulary(modelSize: number): number {
    return Math.max(0, modelSize - this.#vocabularySize);
  }

  /** The tokens that may follow a partial caption. */
  after(tokens: readonly number[]): Permission {
    const missing = this.missing(tokens);
    const given = this.#prefix[tokens.length];
    if (given !== undefined) return only([given], missing);
    const room = this.maxLength - tokens.length;
    if (room === 0) return only([this.end], missing);

    const endsBadly = this.#endsBadly(tokens);
    const refused = this.#repeating(tokens);
    if (endsBadly) { for (const token of this.#closers) refused.add(token); }
    if (tokens.length < this.#minLength || missing.length > 0 || endsBadly) refused.add(this.end);
    // If room gets short, refuse what would leave too little of it.
    if (missing.length + 1 >= room) {
      const fits = (token: number) =>
        this.#needed(missing.filter((other) => other !== token), this.#badEndings.has(token)) < room;
      if (this.#needed(missing, false) >= room) {
        return only(missing.filter((token) => fits(token) && !refused.has(token)), missing);
      }
      // Missing tokens always fit here: each leaves one less to come.
      for (const token of this.#badEndings) if (!fits(token)) refused.add(token);
    }
    return {
      permits: (token) => token < this.#vocabularySize && !this.#never.has(token) && !refused.has(token),
      refusals: this.#never.size + refused.size,
      missing,
    };
  }

  /** The forced tokens that a partial caption lacks. */
  missing(tokens: readonly number[]): readonly number[] {
    return this.#forced.length === 0 ? this.#forced : this.#forced.filter((token) => !tokens.includes(token));
  }

  #endsBadly(tokens: readonly number[]): boolean {
    return this.#badEndings.has(tokens.at(-1) ?? -1);
  }

  /** How many tokens must still come: the missing ones, and one more if none of them may be the last. */
  #needed(missing: readonly number[], endsBadly: boolean): number {
    const isBad = (token: number) => this.#badEndings.has(token);
    const needsEnding = (endsBadly || missing.some(isBad)) && missing.every((token) => !this.#canEnd(token));
    return missing.length + (needsEnding ? 1 : 0);
  }

  /** Whether a token may be the last after any other. */
  #canEnd(token: number): boolean {
    return !this.#badEndings.has(token) && !this.#closers.has(token);
  }

  /** The tokens that would complete a repeated n-gram. */
  #repeating(tokens: readonly number[]): Set<number> {
    const repeating = new Set<number>();
    const before = this.#noRepeatNgramSize - 1;
    if (before < 0) return repeating;
    const last = tokens.length - before;
    for (let at = 0; at < last; at++) {
      let same = true;
      for (let index = 0; index < before; index++) same &&= tokens[at + index] === tokens[last + index];
      const next = tokens[at + before];
      if (same && next !== undefined) repeating.add(next);
    }
    return repeating;
  }
}

function only(tokens: readonly number[], missing: readonly number[]): Permission {
  return { permits: (token) => tokens.includes(token), refusals: Infinity, missing };
}

function impossible(reason: string): InputError {
  return new InputError(`Cannot write a caption: ${reason}`);
}
