import { HTTPException } from "hono/http-exception";
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
  409: "Conflict",
  413: "Content Too Large",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

/** An error of a request, as problem details (RFC 9457). */
export class Problem extends HTTPException {
  override name = "Problem";
  /** Seconds for the Retry-After header. */
  readonly retryAfter: number | undefined;
  readonly #title: string;
  readonly #allow: string | undefined;

  /** Creates a problem with a one-line detail: what is wrong and what to do. */
  constructor(status: keyof typeof TITLES, detail: string, { retryAfter, allow }: ProblemOptions = {}) {
    super(status, { message: printable(detail) });
    this.retryAfter = retryAfter;
    this.#title = TITLES[status];
    this.#allow = allow;
  }

  override getResponse(): Response {
    const { status, message: detail, retryAfter } = this;
    return Response.json({ type: "about:blank", title: this.#title, status, detail }, {
      status,
      headers: {
        "content-type": "application/problem+json",
        ...(retryAfter !== undefined && { "retry-after": String(Math.max(1, Math.ceil(retryAfter))) }),
        ...(this.#allow !== undefined && { allow: this.#allow }),
      },
    });
  }
}
