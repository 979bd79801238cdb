/**
 * How much a server takes on at a time.
 *
 * @module
 */

import { Problem } from "./problem.ts";

/** Options of {@linkcode Admission}. */
export interface AdmissionOptions {
  /** Requests in work or waiting, at most. */
  readonly requests: number;
  /** Bytes of uploads in memory, at most. */
  readonly bytes: number;
}

/** Counts bytes that a request has brought. */
export type TakeBytes = (bytes: number) => void;

/** Lets requests in until their number, or the memory that their uploads take, is at its limit. */
export class Admission {
  readonly #most: AdmissionOptions;
  #requests = 0;
  #bytes = 0;
  /** Mean seconds of the last requests, the newer the weightier. */
  #seconds = 1;
  #empty: (() => void)[] = [];

  /**
   * Begins empty.
   *
   * @param options See {@linkcode AdmissionOptions}.
   */
  constructor(options: AdmissionOptions) {
    this.#most = options;
  }

  /** Requests in work or waiting. */
  get requests(): number {
    return this.#requests;
  }

  /**
   * Does a request's work, if there is room for it.
   *
   * @param work The work, which counts the bytes that it takes up as they come: those who only say that they will send some
   * keep nobody out. The room is given back when it ends, whether anyone still waits for it or not.
   * @returns What the work returns.
   * @throws {Problem} 429 if there is no room, or none for the bytes.
   */
  async admit<Result>(work: (take: TakeBytes) => Promise<Result>): Promise<Result> {
    if (this.#requests >= this.#most.requests) throw this.#full();
    this.#requests++;
    let taken = 0;
    const take = (bytes: number) => {
      if (this.#bytes + bytes > this.#most.bytes) throw this.#full();
      this.#bytes += bytes;
      taken += bytes;
    };
    const start = performance.now();
    try {
      return await work(take);
    } finally {
      this.#requests--;
      this.#bytes -= taken;
      this.#seconds += ((performance.now() - start) / 1000 - this.#seconds) / 8;
      if (this.#requests === 0) { for (const resolve of this.#empty.splice(0)) resolve(); }
    }
  }

  #full(): Problem {
    return new Problem(429, `${this.#requests} requests are in work; try again later`, { retryAfter: this.#seconds });
  }

  /** Waits until nothing is in work. */
  async idle(): Promise<void> {
    if (this.#requests > 0) await new Promise<void>((resolve) => this.#empty.push(resolve));
  }
}
