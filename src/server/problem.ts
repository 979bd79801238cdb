/**
 * What an API answers where it cannot do what it was asked: problem details (RFC 9457).
 *
 * @module
 */

import { printable } from "../printable.ts";

/** Options of {@linkcode Problem}. */
export interface ProblemOptions {
  /**
   * Seconds after which it may be asked again.
   *
   * @default {nothing is said of it}
   */
  readonly retryAfter?: number;
  /**
   * The methods by which the path may be called.
   *
   * @default {nothing is said of them}
   */
  readonly allow?: string;
}

const TITLES = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

/** Why a request has no answer, and what to do about it. */
export class Problem extends Error {
  override name = "Problem";
  /** The HTTP status. */
  readonly status: keyof typeof TITLES;
  /** Seconds after which it may be asked again. */
  readonly retryAfter: number | undefined;
  /** The methods by which the path may be called. */
  readonly allow: string | undefined;

  /**
   * Words a problem.
   *
   * @param status The HTTP status.
   * @param detail What is wrong and what to do, in a line.
   * @param options See {@linkcode ProblemOptions}.
   */
  constructor(status: keyof typeof TITLES, detail: string, options: ProblemOptions = {}) {
    super(printable(detail));
    this.status = status;
    this.retryAfter = options.retryAfter;
    this.allow = options.allow;
  }

  /** The answer to the request. */
  response(): Response {
    const { status, message: detail, retryAfter, allow } = this;
    return new Response(JSON.stringify({ type: "about:blank", title: TITLES[status], status, detail }), {
      status,
      headers: {
        "content-type": "application/problem+json",
        ...(retryAfter !== undefined && { "retry-after": String(Math.max(1, Math.ceil(retryAfter))) }),
        ...(allow !== undefined && { allow }),
      },
    });
  }
}
