// Decides which quotation marks among tokens open, which close, and which are apostrophes.

/** How a token attaches to its neighbors. */
export interface Attachment {
  /** The text to write instead of the token. */
  readonly written?: string;
  /** No space before it. */
  readonly before: boolean;
  /** No space after it. */
  readonly after: boolean;
}

/** The tokens before and after a token; empty if there is none. */
export interface Neighbors {
  readonly previous: string;
  readonly next: string;
}

const WORD = /^[\p{L}\p{N}]/u;
const NUMBER = /^\p{Nd}/u;
const PLURAL = /\p{L}s$/u;
/** These look like plurals, but introduce a quotation. */
const INTRODUCES = /^(?:displays|reads|says|shows|spells|states)$/;
/** NLTK does not separate an opening mark from these, since they look like clitics: slip 'n' slide. */
const QUOTED_CLITIC = /^'\p{L}/u;
const CLITIC = /^(?:s|t|m|d|ll|re|ve)$/;
/** Elided words before an apostrophe in French and Italian, and in English o'clock. */
const ELIDED = /^(?:[cdjlmnot]|qu|dell|all|un)$/;

/** Reads the quotation marks of a text from its first token to its last. */
export class Quotes {
  #straight: number;
  #doubleOpen = false;
  #singleOpen = false;
  #lowOpen = false;

  constructor(tokens: readonly string[]) {
    this.#straight = tokens.filter((token) => token === '"').length;
  }

  /** Reads the next token; returns how it attaches if it is a quotation mark. */
  read(token: string, neighbors: Neighbors): Attachment | undefined {
    switch (token) {
      case "``":
      case "''":
      case '"':
        return this.#double(token, neighbors);
      case "'":
        return this.#single(neighbors);
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
        const { previous, next } = neighbors;
        const apostrophe = WORD.test(previous) && (CLITIC.test(next) || ELIDED.test(previous));
        return { before: true, after: apostrophe && WORD.test(next) };
      }
      case "”":
      case "»":
        return { before: true, after: false };
    }
    return undefined;
  }

  #double(token: string, { previous }: Neighbors): Attachment {
    const unpaired = this.#straight % 2 === 1;
    if (token === '"') this.#straight--;
    // Without an open mark, an unpaired one after a number means inches.
    const inches = token === '"' && unpaired && NUMBER.test(previous);
    const closes = this.#doubleOpen || (previous !== "" && (token === "''" || inches));
    this.#doubleOpen = !closes;
    return { written: '"', before: closes, after: !closes };
  }

  #single({ previous, next }: Neighbors): Attachment {
    const opens = !this.#singleOpen && WORD.test(next) && !QUOTED_CLITIC.test(previous) &&
      (!PLURAL.test(previous) || INTRODUCES.test(previous));
    this.#singleOpen = opens;
    return { before: !opens, after: opens };
  }
}
