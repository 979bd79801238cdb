/**
 * Which quotation marks among tokens open and which close, and which are apostrophes.
 *
 * @module
 */

/** How a token stands beside its neighbours. */
export interface Clinging {
  /** What is written for it, where that is not the token. */
  readonly written?: string;
  /** Whether no space is before it. */
  readonly before: boolean;
  /** Whether no space is after it. */
  readonly after: boolean;
}

/** The tokens before and after one; empty where there is none. */
export interface Neighbours {
  /** The token before. */
  readonly previous: string;
  /** The token after. */
  readonly next: string;
}

const WORD = /^[\p{L}\p{N}]/u;
const NUMBER = /^\p{Nd}/u;
const PLURAL = /\p{L}s$/u;
/** Ends like a plural, and a quotation follows. */
const INTRODUCES = /^(?:displays|reads|says|shows|spells|states)$/;
/** What NLTK leaves an opening mark on, since it looks like a clitic: slip 'n' slide. */
const QUOTED_CLITIC = /^'\p{L}/u;
const CLITIC = /^(?:s|t|m|d|ll|re|ve)$/;
/** What French and Italian put before an apostrophe, and English in o'clock. */
const ELIDED = /^(?:[cdjlmnot]|qu|dell|all|un)$/;

/** Reads the quotation marks of a text from its first token to its last. */
export class Quotes {
  #straight: number;
  #doubleOpen = false;
  #singleOpen = false;
  #lowOpen = false;

  /** @param tokens The text. */
  constructor(tokens: readonly string[]) {
    this.#straight = tokens.filter((token) => token === '"').length;
  }

  /**
   * Reads the next token.
   *
   * @param token The token.
   * @param neighbours Those beside it.
   * @returns How it stands, if it is a quotation mark.
   */
  read(token: string, neighbours: Neighbours): Clinging | undefined {
    switch (token) {
      case "``":
      case "''":
      case '"':
        return this.#double(token, neighbours);
      case "'":
        return this.#single(neighbours);
      case "„":
        this.#lowOpen = true;
        return { before: false, after: true };
      case "“": {
        const closes = this.#lowOpen;
        this.#lowOpen = false;
        return { before: closes, after: !closes };
      }
      case "«":
      case "‘":
      case "`":
        return { before: false, after: true };
      case "’": {
        const { previous, next } = neighbours;
        const apostrophe = WORD.test(previous) && (CLITIC.test(next) || ELIDED.test(previous));
        return { before: true, after: apostrophe && WORD.test(next) };
      }
      case "”":
      case "»":
        return { before: true, after: false };
    }
    return undefined;
  }

  #double(token: string, { previous }: Neighbours): Clinging {
    const unpaired = this.#straight % 2 === 1;
    if (token === '"') this.#straight--;
    // Without an open one, an odd one after a number means inches.
    const inches = token === '"' && unpaired && NUMBER.test(previous);
    const closes = this.#doubleOpen || (previous !== "" && (token === "''" || inches));
    this.#doubleOpen = !closes;
    return { written: '"', before: closes, after: !closes };
  }

  #single({ previous, next }: Neighbours): Clinging {
    const opens = !this.#singleOpen && WORD.test(next) && !QUOTED_CLITIC.test(previous) &&
      (!PLURAL.test(previous) || INTRODUCES.test(previous));
    this.#singleOpen = opens;
    return { before: !opens, after: opens };
  }
}
