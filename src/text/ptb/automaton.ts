import { type CharacterSet, nfaOf, type NfaState } from "./pattern.ts";

/** The index of the matched pattern, and the end of the match. */
export interface Match {
  readonly pattern: number;
  readonly end: number;
}

const DEAD = -1;

/**
 * Several patterns as one deterministic automaton over UTF-16 code units, which finds their longest match in linear
 * time. States are created on demand, so that patterns no text comes near cost nothing.
 */
export class Automaton {
  readonly #nfa: readonly NfaState[];
  readonly #sets: readonly CharacterSet[];
  readonly #tests: readonly RegExp[];
  /** The class of each code unit, from 1; 0 if not yet known. Code units of a class are in the same sets. */
  readonly #classes = new Uint16Array(65_536);
  readonly #classNumbers = new Map<string, number>();
  /** One code unit of each class. */
  readonly #examples: string[] = [""];
  readonly #states: number[][] = [];
  readonly #stateNumbers = new Map<string, number>();
  /** For each state the first pattern that ends there; -1 for none. */
  readonly #patterns: number[] = [];
  /** The next state for each state and class. */
  readonly #next: (number | undefined)[][] = [];

  /**
   * @param patterns The patterns, in the notation of {@linkcode nfaOf}.
   * @throws {SyntaxError} If a pattern is malformed.
   */
  constructor(patterns: readonly string[]) {
    this.#nfa = nfaOf(patterns);
    this.#sets = [...new Set(this.#nfa.flatMap(({ set }) => set === undefined ? [] : [set]))];
    this.#tests = this.#sets.map((set) => new RegExp(`^${set}$`, "u"));
    this.#state([0]);
  }

  /**
   * Finds the longest match of one or more characters at `start`; if several patterns have it, the first wins.
   *
   * @param dead The dead ends of this text.
   */
  longest(text: string, start: number, dead: DeadEnds): Match | undefined {
    let state = 0;
    let pattern = -1;
    let end = start;
    let at = start;
    while (at < text.length) {
      state = this.#step(state, text.charCodeAt(at));
      at++;
      if (state === DEAD || dead.has(state, at)) break;
      dead.add(state, at);
      const ended = this.#patterns[state] ?? -1;
      if (ended < 0) continue;
      pattern = ended;
      end = at;
    }
    dead.after(end);
    return pattern < 0 ? undefined : { pattern, end };
  }

  /** All ends of matches that begin at `start` and end at `limit` or before, in order. */
  ends(text: string, start: number, limit: number): number[] {
    const ends: number[] = [];
    let state = 0;
    for (let at = start; at < limit;) {
      state = this.#step(state, text.charCodeAt(at));
      at++;
      if (state === DEAD) break;
      if ((this.#patterns[state] ?? -1) >= 0) ends.push(at);
    }
    return ends;
  }

  #step(state: number, unit: number): number {
    const number = this.#classes[unit] || this.#classOf(unit);
    const row = this.#next[state] ?? [];
    return row[number] ?? (row[number] = this.#follow(state, number));
  }

  #classOf(unit: number): number {
    const character = String.fromCharCode(unit);
    const key = this.#tests.map((test) => test.test(character) ? 1 : 0).join("");
    let number = this.#classNumbers.get(key);
    if (number === undefined) {
      number = this.#examples.push(character) - 1;
      this.#classNumbers.set(key, number);
    }
    this.#classes[unit] = number;
    return number;
  }

  #follow(state: number, number: number): number {
    const character = this.#examples[number] ?? "";
    const within = new Set(this.#sets.filter((_, index) => this.#tests[index]?.test(character)));
    const reached: number[] = [];
    for (const each of this.#states[state] ?? []) {
      const { set, next } = this.#nfa[each] ?? {};
      if (set !== undefined && next !== undefined && within.has(set)) reached.push(next);
    }
    return reached.length === 0 ? DEAD : this.#state(reached);
  }

  /** The state for a set of NFA states and everything they lead to without reading. */
  #state(reached: readonly number[]): number {
    const seen = new Set(reached);
    const kept: number[] = [];
    let pattern = Infinity;
    for (const each of seen) { // a Set hands out what is added while it is walked
      const { free = [], set, pattern: ended } = this.#nfa[each] ?? {};
      for (const next of free) seen.add(next);
      if (set !== undefined) kept.push(each);
      if (ended !== undefined) pattern = Math.min(pattern, ended);
    }
    kept.sort((a, b) => a - b);
    const key = `${pattern}:${kept}`;
    let number = this.#stateNumbers.get(key);
    if (number === undefined) {
      number = this.#states.push(kept) - 1;
      this.#stateNumbers.set(key, number);
      this.#patterns.push(pattern === Infinity ? -1 : pattern);
      this.#next.push([]);
    }
    return number;
  }
}

/**
 * Remembers where reading a text ended in vain, so that it is not read again in the same state: otherwise a text in
 * which a long match begins everywhere and never ends would take quadratic time. Thomas Reps, "Maximal-munch"
 * tokenization in linear time, ACM TOPLAS 20 (1998).
 */
export class DeadEnds {
  /** For each position the state in which it was last passed, plus one. */
  readonly #states: Int32Array;
  #after = 0;

  /** @param length The text's length. */
  constructor(length: number) {
    this.#states = new Int32Array(length + 1);
  }

  /** Tells whether no match ends beyond this position for a reader in this state. */
  has(state: number, at: number): boolean {
    return at > this.#after && this.#states[at] === state + 1;
  }

  /** Records that a reader passes a position. */
  add(state: number, at: number): void {
    this.#states[at] = state + 1;
  }

  /** Records where the reader's match ended: everything recorded beyond it was in vain. */
  after(end: number): void {
    this.#after = Math.max(this.#after, end);
  }
}
