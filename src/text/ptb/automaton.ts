/**
 * The longest match of many patterns at once, in time that grows with the text alone.
 *
 * @module
 */

import { type CharacterSet, nfaOf, type NfaState } from "./pattern.ts";

/** What a pattern matched: its index, and where the match ends. */
export interface Match {
  readonly pattern: number;
  readonly end: number;
}

const DEAD = -1;

/**
 * Patterns as one deterministic automaton over UTF-16 code units. Its states are made when a text first needs them, so
 * that patterns which no text comes near cost nothing.
 */
export class Automaton {
  readonly #nfa: readonly NfaState[];
  readonly #sets: readonly CharacterSet[];
  readonly #tests: readonly RegExp[];
  /** For each code unit the number of its class, from 1; 0 while unknown. Those of a class are in the same sets. */
  readonly #classes = new Uint16Array(65_536);
  readonly #classNumbers = new Map<string, number>();
  /** A code unit of each class. */
  readonly #examples: string[] = [""];
  readonly #states: number[][] = [];
  readonly #stateNumbers = new Map<string, number>();
  /** For each state the pattern that ends there, the first of several; -1 for none. */
  readonly #patterns: number[] = [];
  /** For each state and class the next state. */
  readonly #next: (number | undefined)[][] = [];

  /**
   * @param patterns The patterns, in the notation of {@linkcode nfaOf}.
   * @throws {SyntaxError} If a pattern is not well formed.
   */
  constructor(patterns: readonly string[]) {
    this.#nfa = nfaOf(patterns);
    this.#sets = [...new Set(this.#nfa.flatMap(({ set }) => set === undefined ? [] : [set]))];
    this.#tests = this.#sets.map((set) => new RegExp(`^${set}$`, "u"));
    this.#state([0]);
  }

  /**
   * Reads on from a place for as long as any pattern may match.
   *
   * @param text The text.
   * @param start Where the match is to begin.
   * @param dead Where reading has ended in vain; one for each text.
   * @returns The longest match, of the first pattern that has it; undefined where none matches a character or more.
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

  /**
   * The places where a match that begins at a place may end.
   *
   * @param text The text.
   * @param start Where the match is to begin.
   * @param limit The last place where it may end.
   * @returns The places in their order.
   */
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

  /** The state in which the automaton is when it may be in any of these and where they lead without reading. */
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
 * Where reading a text has ended in vain, that it is not read so again: else a text in which a long match begins
 * everywhere and never ends would take the square of its length. Thomas Reps, "Maximal-munch" tokenization in linear
 * time, ACM TOPLAS 20 (1998).
 */
export class DeadEnds {
  /** For each place the state in which it was last passed, and one more. */
  readonly #states: Int32Array;
  #after = 0;

  /** @param length The text's length. */
  constructor(length: number) {
    this.#states = new Int32Array(length + 1);
  }

  /** Whether no match ends behind this place for a reader who passes it in this state. */
  has(state: number, at: number): boolean {
    return at > this.#after && this.#states[at] === state + 1;
  }

  /** Notes that a reader passes a place. */
  add(state: number, at: number): void {
    this.#states[at] = state + 1;
  }

  /** Notes where the reader's match ended: all that was noted behind was in vain. */
  after(end: number): void {
    this.#after = Math.max(this.#after, end);
  }
}
