import { printable } from "../printable.ts";

/** Options of {@linkcode Problem}. */
export interface ProblemOptions {
  /**
   * Seconds for the Retry-After header.
   *
   * @default {no header}
   */
  readonly retryAfter?: number;
  /**
   * Methods for the Allow header.
   *
   * @default {no header}
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

/** An error of a request, as problem details (RFC 9457). */
export class Problem extends Error {
  override name = "Problem";
  /** The HTTP status. */
  readonly status: keyof typeof TITLES;
  /** Seconds for the Retry-After header. */
  readonly retryAfter: number | undefined;
  /** Methods for the Allow header. */
  readonly allow: string | undefined;

  /** Creates a problem with a one-line detail: what is wrong and what to do. */
  constructor(status: keyof typeof TITLES, detail: string, options: ProblemOptions = {}) {
    super(printable(detail));
    this.status = status;
    this.retryAfter = options.retryAfter;
    this.allow = options.allow;
  }

  /** The problem as an HTTP response. */
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
