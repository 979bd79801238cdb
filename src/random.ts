/**
 * Seeded random numbers by xoshiro128** (Blackman and Vigna 2018, version 1.1), the same on every machine. The state is
 * filled by splitmix32 (increment 0x9e3779b9, multipliers 0x21f0aaad and 0x735a2d97 of Wellons' hash prospector). Not
 * for secrets.
 *
 * @throws {RangeError} If the seed is not an integer from 0 to 2^53 - 1.
 *
 * @example Shuffling the same way twice
 * ```ts
 * import assert from "node:assert/strict";
 * import { Random } from "./random.ts";
 *
 * assert.deepEqual(new Random(7).shuffle([1, 2, 3, 4]), new Random(7).shuffle([1, 2, 3, 4]));
 * ```
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** Fills the state from the seed, an integer from 0 to 2^53 - 1. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`Cannot seed random numbers: seed must be an integer from 0 to 2^53 - 1, got ${seed}`);
    }
    // The upper 21 bits are mixed in, so that seeds above 2^32 differ from those below.
    let counter = (seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b);
    function splitmix32(): number {
      counter = (counter + 0x9e3779b9) | 0;
      let mixed = counter ^ (counter >>> 16);
      mixed = Math.imul(mixed, 0x21f0aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    }
    // Four outputs of a bijection of a running counter are never all zero, which would be the one invalid state.
    this.#a = splitmix32();
    this.#b = splitmix32();
    this.#c = splitmix32();
    this.#d = splitmix32();
  }

  /** The next number, uniform in [0, 1) with 32 bits. */
  next(): number {
    return this.#uint32() / 2 ** 32;
  }

  /**
   * The next integer, uniform in [0, n) without bias.
   *
   * @throws {RangeError} If n is not an integer from 1 to 2^32.
   */
  below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
      throw new RangeError(`Cannot sample a random integer: n must be an integer from 1 to 2^32, got ${n}`);
    }
    // Values beyond the last whole multiple of n would favor small remainders.
    const limit = 2 ** 32 - (2 ** 32 % n);
    let value = this.#uint32();
    while (value >= limit) value = this.#uint32();
    return value % n;
  }

  /** A shuffled copy (Fisher-Yates, from the end). */
  shuffle<T>(values: readonly T[]): T[] {
    const shuffled = [...values];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const chosen = this.below(last + 1);
      // Both indices are inside the array, so both values are of type T.
      const value = shuffled[chosen] as T;
      shuffled[chosen] = shuffled[last] as T;
      shuffled[last] = value;
    }
    return shuffled;
  }

  #uint32(): number {
    const scaled = Math.imul(this.#b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }
}
