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

/** Lets requests in until their number, or the memory that their uploads may take, is at its limit. */
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
   * @param bytes What its upload may take.
   * @param work The work; the room is given back when it ends, whether anyone still waits for it or not.
   * @returns What the work returns.
   * @throws {Problem} 429 if there is no room.
   */
  async admit<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    if (this.#requests >= this.#most.requests || this.#bytes + bytes > this.#most.bytes) {
      throw new Problem(429, `${this.#requests} requests are in work; try again later`, { retryAfter: this.#seconds });
    }
    this.#requests++;
    this.#bytes += bytes;
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#requests--;
      this.#bytes -= bytes;
      this.#seconds += ((performance.now() - start) / 1000 - this.#seconds) / 8;
      if (this.#requests === 0) { for (const resolve of this.#empty.splice(0)) resolve(); }
    }
  }

  /** Waits until nothing is in work. */
  async idle(): Promise<void> {
    if (this.#requests > 0) await new Promise<void>((resolve) => this.#empty.push(resolve));
  }
}
