import { Problem } from "./problem.ts";

/** Limits of an {@linkcode Admission}. */
export interface AdmissionOptions {
  /** Maximum number of requests in progress or waiting. */
  readonly requests: number;
  /** Maximum size of all uploads in memory, in bytes. */
  readonly bytes: number;
}

/** Counts bytes of a request as they arrive. */
export type TakeBytes = (bytes: number) => void;

/** Admits requests up to a limit of their number and of the memory of their uploads. */
export class Admission {
  readonly #most: AdmissionOptions;
  #requests = 0;
  #bytes = 0;
  /** Moving average of the requests' seconds. */
  #seconds = 1;
  #empty: (() => void)[] = [];

  /** Creates an admission without requests. */
  constructor(options: AdmissionOptions) {
    this.#most = options;
  }

  /** Requests in progress or waiting. */
  get requests(): number {
    return this.#requests;
  }

  /**
   * Runs a request's work, if there is room for it. The room is given back when the work ends, even if its client is gone.
   *
   * @param work Counts bytes as they arrive, so that clients that only announce bytes do not occupy memory.
   * @throws {Problem} 429 if there is no room for the request or its bytes.
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
    return new Problem(429, `${this.#requests} requests are in progress; try again later`, {
      retryAfter: this.#seconds,
    });
  }

  /** Waits until no request is in progress. */
  async idle(): Promise<void> {
    if (this.#requests > 0) await new Promise<void>((resolve) => this.#empty.push(resolve));
  }
}
