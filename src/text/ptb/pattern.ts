// Converts patterns to nondeterministic automata (Thompson's construction). The notation is that of regular
// expressions: literal characters, escapes, `[classes]`, `(groups)`, `|`, `*`, `+`, `?`, `{n}` and `{m,n}`. A letter
// outside a class matches both cases; a class matches literally.

/** A set of UTF-16 code units, as a regular expression for one of them. */
export type CharacterSet = string;

/** A class, an escape or a literal character. */
const SET = /\[\^?(?:\\.|[^\]\\])*\]|\\u[\da-f]{4}|\\p\{\w+\}|\\.|[^\\()[\]{}|*+?]/isy;
const COUNTS = /\{(\d+)(?:,(\d+))?\}/y;

/** One state: its transitions without reading, its transition on a set, and the pattern that ends there. */
export interface NfaState {
  readonly free: number[];
  set?: CharacterSet;
  next?: number;
  pattern?: number;
}

/** Characters besides the capital that case-insensitive i, k and s match. */
const OTHER_CASES: Readonly<Record<string, string>> = { i: "\u0130\u0131", k: "\u212a", s: "\u017f" };

/**
 * Builds one automaton from several patterns. Reading begins in the first state; a state that ends a pattern has its
 * index.
 *
 * @throws {SyntaxError} If a pattern is malformed.
 */
export function nfaOf(patterns: readonly string[]): NfaState[] {
  const states: NfaState[] = [{ free: [] }];
  for (const [index, pattern] of patterns.entries()) {
    const begin = states.length;
    const end = new Reader(pattern, states).read();
    states[0]?.free.push(begin);
    states.push({ free: [], pattern: index });
    states[end]?.free.push(states.length - 1);
  }
  return states;
}

/** Parses one pattern by recursive descent. Each method begins at a new state and returns its end state. */
class Reader {
  readonly #pattern: string;
  readonly #states: NfaState[];
  #at = 0;

  constructor(pattern: string, states: NfaState[]) {
    this.#pattern = pattern;
    this.#states = states;
  }

  read(): number {
    const end = this.#choice();
    if (this.#at < this.#pattern.length) throw this.#error();
    return end;
  }

  #choice(): number {
    const begin = this.#state();
    const end = this.#state();
    do {
      this.#free(begin, this.#states.length);
      this.#free(this.#sequence(), end);
    } while (this.#skip("|"));
    return end;
  }

  #sequence(): number {
    let end = this.#state();
    while (this.#at < this.#pattern.length && !")|".includes(this.#pattern.charAt(this.#at))) {
      this.#free(end, this.#states.length);
      end = this.#repetition();
    }
    return end;
  }

  #repetition(): number {
    const from = this.#at;
    let begin = this.#state();
    let end = this.#once(begin);
    const [least, most] = this.#counts();
    const after = this.#at;
    if (least === 0) this.#free(begin, end);
    const copies = most === Infinity ? least : most;
    for (let copy = 2; copy <= copies; copy++) {
      this.#at = from;
      begin = this.#state();
      this.#free(end, begin);
      end = this.#once(begin);
      if (copy > least) this.#free(begin, end);
    }
    if (most === Infinity) this.#free(end, begin);
    this.#at = after;
    return end;
  }

  #counts(): [number, number] {
    if (this.#skip("*")) return [0, Infinity];
    if (this.#skip("+")) return [1, Infinity];
    if (this.#skip("?")) return [0, 1];
    COUNTS.lastIndex = this.#at;
    const [all, least, most] = COUNTS.exec(this.#pattern) ?? [];
    if (all === undefined) return [1, 1];
    this.#at += all.length;
    return [Number(least), Number(most ?? least)];
  }

  #once(begin: number): number {
    if (this.#skip("(")) {
      this.#free(begin, this.#states.length);
      const end = this.#choice();
      if (!this.#skip(")")) throw this.#error();
      return end;
    }
    const set = this.#set();
    const end = this.#state();
    Object.assign(this.#states[begin] ?? {}, { set, next: end });
    return end;
  }

  #set(): CharacterSet {
    SET.lastIndex = this.#at;
    const text = SET.exec(this.#pattern)?.[0];
    if (text === undefined) throw this.#error();
    this.#at += text.length;
    if (!/^[a-z]$/i.test(text)) return text;
    const small = text.toLowerCase();
    return `[${small}${text.toUpperCase()}${OTHER_CASES[small] ?? ""}]`;
  }

  #state(): number {
    return this.#states.push({ free: [] }) - 1;
  }

  #free(from: number, to: number): void {
    this.#states[from]?.free.push(to);
  }

  #skip(character: string): boolean {
    if (this.#pattern.charAt(this.#at) !== character) return false;
    this.#at++;
    return true;
  }

  #error(): SyntaxError {
    return new SyntaxError(`Cannot read the pattern ${this.#pattern}: character ${this.#at} is out of place`);
  }
}
