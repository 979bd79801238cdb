import { isIP } from "node:net";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { ImageError } from "../images/image_error.ts";
import { InputError } from "../input_error.ts";
import { Admission, type TakeBytes } from "./admission.ts";
import { untilAborted } from "./deadline.ts";
import { type PageFile, securityHeaders } from "./page.ts";
import { Problem } from "./problem.ts";

/** Limits of a server. */
export interface Limits {
  /** Maximum size of an upload in bytes. */
  readonly bytes: number;
  /** Maximum pixels of an image. */
  readonly pixels: number;
  /** Maximum number of requests in progress or waiting. */
  readonly requests: number;
  /** Timeout of a request in seconds. */
  readonly seconds: number;
}

/** Options of {@linkcode guardedApp}. */
export interface GuardOptions {
  /** The limits. */
  readonly limits: Limits;
  /**
   * Accepted host names; others are refused, against DNS rebinding.
   *
   * @default {any}
   */
  readonly hostnames?: readonly string[] | undefined;
  /**
   * Accepts any IP address as well: a name can be rebound to this server, an address cannot.
   *
   * @default {false}
   */
  readonly addresses?: boolean | undefined;
  /**
   * Aborted when the server stops; no work starts after that.
   *
   * @default {never}
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called with internal errors.
   *
   * @default {nothing}
   */
  readonly onError?: (error: unknown) => void;
}

/** The page and the API. */
export interface App {
  /** Answers a request. */
  fetch(request: Request): Promise<Response>;
  /** Waits until all work is done, including that of clients that are gone. */
  idle(): Promise<void>;
}

/** An app without routes. */
export interface GuardedApp extends App {
  /** Takes the routes. */
  readonly app: Hono;
  /** Counts the requests in progress. */
  readonly admission: Admission;
  /**
   * Admits a request's work, and answers on timeout even if the work is not done. Work that waits ends at once on timeout
   * or if the client is gone.
   */
  readonly within: <Result>(
    context: Context,
    work: (signal: AbortSignal, take: TakeBytes) => Promise<Result>,
  ) => Promise<Result>;
}

/** Limit of the memory of all uploads in bytes, unless one upload may be larger. */
const UPLOADS = 2 ** 29;
/** The path of an API's description. */
const DESCRIPTION = "/api/openapi.json";

/**
 * Creates an app without routes that answers only to its own host names and pages, limits the requests in progress, and
 * turns errors into problem details.
 */
export function guardedApp(options: GuardOptions): GuardedApp {
  const { limits, signal: stop, onError = () => {} } = options;
  const admission = new Admission({ requests: limits.requests, bytes: Math.max(UPLOADS, limits.bytes) });
  const app = new Hono();

  async function within<Result>(
    { req: { raw } }: Context,
    work: (signal: AbortSignal, take: TakeBytes) => Promise<Result>,
  ): Promise<Result> {
    if (stop?.aborted) throw new Problem(503, "The server is stopping; start it again");
    const { seconds } = limits;
    const signal = AbortSignal.any([raw.signal, AbortSignal.timeout(1000 * seconds)]);
    try {
      return await untilAborted(admission.admit((take) => work(signal, take)), signal);
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
      const reason = raw.signal.aborted
        ? "The client is gone"
        : `The answer took more than ${seconds} s; try again later`;
      throw new Problem(503, reason, { retryAfter: seconds });
    }
  }

  app.use(securityHeaders, async (context, next) => {
    checkSource(context.req.raw, options);
    await next();
  });

  app.notFound(({ req: { path, method } }) => {
    const routes = app.routes.filter((route) => !route.path.endsWith("*")); // without the middleware
    const allowed = routes.filter((route) => route.path === path).map((route) => route.method);
    if (allowed.length === 0) {
      const described = routes.some((route) => route.path === DESCRIPTION);
      throw new Problem(404, `There is no ${path}${described ? `; the API is described at ${DESCRIPTION}` : ""}`);
    }
    const allow = [...new Set(allowed.flatMap((name) => name === "GET" ? ["GET", "HEAD"] : [name]))].join(", ");
    throw new Problem(405, `${path} does not support ${method}; use ${allow}`, { allow });
  });

  app.onError((error) => {
    if (error instanceof HTTPException) return error.getResponse();
    if (error instanceof ImageError) {
      return new Problem(error.kind === "image" ? 422 : 503, error.message).getResponse();
    }
    if (error instanceof InputError) return new Problem(400, error.message).getResponse();
    onError(error);
    return new Problem(500, "The server failed; its log says why").getResponse();
  });

  return { app, admission, within, fetch: async (request) => await app.fetch(request), idle: () => admission.idle() };
}

/** Serves the files of a page. */
export function servePage(app: Hono, files: ReadonlyMap<string, PageFile>): void {
  for (const [path, { text, type }] of files) {
    app.get(path, () => new Response(text, { headers: { "content-type": type, "cache-control": "no-cache" } }));
  }
}

/** Refuses a request for another host, or from another website. */
function checkSource({ url, method, headers }: Request, { hostnames, addresses = false }: GuardOptions): void {
  if (!URL.canParse(url)) throw new Problem(400, "The Host header is not a valid host name");
  const { hostname, host } = new URL(url);
  const isAddress = isIP(hostname.replaceAll(/[[\]]/g, "")) !== 0;
  if (hostnames !== undefined && !hostnames.includes(hostname) && !(addresses && isAddress)) {
    const remedy = `use ${hostnames[0]}, or start it with --allow-host ${hostname}`;
    throw new Problem(403, `This server does not answer to '${hostname}'; ${remedy}`);
  }
  if (!["GET", "HEAD"].includes(method) && isFromElsewhere(headers, host)) {
    throw new Problem(403, "This server does not answer to pages of other websites; use its own page, or a program");
  }
}

/** Whether another website's page sent a request. Browsers say so, older ones by Origin alone; programs send neither. */
function isFromElsewhere(headers: Headers, host: string): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return !["same-origin", "none"].includes(site);
  const origin = headers.get("origin");
  return origin !== null && !(URL.canParse(origin) && new URL(origin).host === host);
}
