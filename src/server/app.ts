import { isIP } from "node:net";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Caption } from "../captioning/caption.ts";
import type { Captioner, PreparedImage } from "../captioning/captioner.ts";
import { prepareFile } from "../captioning/prepared_batches.ts";
import { roundHeat } from "../explanation/round_heat.ts";
import type { ModelFacts } from "../checkpoint/model_facts.ts";
import { InputError } from "../input_error.ts";
import { ImageError } from "../images/image_error.ts";
import type { ImageDecoders } from "../images/image_decoders.ts";
import { readImageFile } from "./image_answer.ts";
import { Admission, type TakeBytes } from "./admission.ts";
import {
  CAPTION_QUERY,
  decodingOptions,
  EXPLAIN_QUERY,
  explainedCaption,
  readQuery,
  SEARCH_QUERY,
} from "./caption_query.ts";
import { CaptionQueue } from "./caption_queue.ts";
import { oneAtATime, untilAborted } from "./deadline.ts";
import { type Answers, openApi } from "./openapi.ts";
import { PAGE_FILES, securityHeaders } from "./page.ts";
import type { ImageSearch } from "../evaluation/image_search.ts";
import { Problem } from "./problem.ts";
import { readUpload } from "./upload.ts";

/** The part of a captioner that the server uses. */
export type ServedModel = Pick<
  Captioner,
  "decodeOptions" | "prepare" | "caption" | "explain" | "tokenize" | "metadata"
>;

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

/** Options of {@linkcode createApp}. */
export interface AppOptions {
  /** The model. */
  readonly model: ServedModel;
  /**
   * Which model it is.
   *
   * @default {unknown}
   */
  readonly about?: ModelFacts & { readonly warning: string | undefined } | undefined;
  /** Decoders of uploads. */
  readonly decoders: Pick<ImageDecoders, "decodeThen">;
  /** The limits. */
  readonly limits: Limits;
  /**
   * A folder to search.
   *
   * @default {none}
   */
  readonly search?: ImageSearch | undefined;
  /**
   * The real path of that folder: only files inside it are served.
   *
   * @default {none, no file is served}
   */
  readonly folder?: string | undefined;
  /**
   * A training run to show.
   *
   * @default {none}
   */
  readonly run?: ShownRun | undefined;
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

/** A training run, which may be in progress. */
export interface ShownRun {
  /** The run's name. */
  readonly name: string;
  /** Reads its current settings and epochs. */
  read(): Promise<Answers["Run"]>;
  /** Renders its current report as HTML. */
  report(): Promise<string>;
}

/** The page and the API. */
export interface App {
  /** Answers a request. */
  fetch(request: Request): Promise<Response>;
  /** Waits until all work is done, including that of clients that are gone. */
  idle(): Promise<void>;
}

/** Maximum length of an explained caption: time grows with its square. */
const MOST_EXPLAINED = 40;
/** Limit of the memory of all uploads in bytes, unless one upload may be larger. */
const UPLOADS = 2 ** 29;

/** Creates the page and the API. */
export function createApp(options: AppOptions): App {
  const { model, about, decoders, limits, search, folder, run, signal: stop, onError = () => {} } = options;
  const admission = new Admission({ requests: limits.requests, bytes: Math.max(UPLOADS, limits.bytes) });
  const queue = new CaptionQueue(model);
  const app = new Hono();
  // Each takes as long as many captions.
  const explaining = oneAtATime();
  const searching = oneAtATime();
  let rendering: Promise<Blob> | undefined;

  /**
   * Admits a request's work, and answers on timeout even if the work is not done. Work that waits ends at once on timeout
   * or if the client is gone.
   */
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

  function withImage<Result>(
    context: Context,
    use: (image: PreparedImage, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const { raw } = context.req;
    return within(context, async (signal, take) => {
      const bytes = await readUpload(raw, { most: limits.bytes, take, signal });
      const resized = await prepareFile(model, { bytes }, { decoders, maxPixels: limits.pixels, signal });
      signal.throwIfAborted();
      return await use(resized, signal);
    });
  }

  app.use(securityHeaders, async (context, next) => {
    checkSource(context.req.raw, options);
    await next();
  });

  app.post("/api/caption", async (context) => {
    const decoding = decodingOptions(readQuery(new URL(context.req.url), CAPTION_QUERY));
    const caption = await withImage(context, (image, signal) => queue.caption(image, decoding, signal));
    return context.json(captionAnswer(caption));
  });

  app.post("/api/explain", async (context) => {
    const { given, decoding } = explainedCaption(readQuery(new URL(context.req.url), EXPLAIN_QUERY));
    const answer = await withImage(context, async (image, signal): Promise<Answers["Explanation"]> => {
      const written = given === undefined ? await queue.caption(image, decoding, signal) : {
        text: given.caption ?? given.token?.join(" ") ?? "",
        tokens: given.token ?? model.tokenize(given.caption ?? ""),
      };
      if (written.tokens.length === 0) throw new Problem(400, "Cannot explain: the caption is empty");
      const { words, rows, columns } = await explaining(
        () => model.explain(image, written.tokens.slice(0, MOST_EXPLAINED)),
        signal,
      );
      const { imageSize, shortSide, resize = "crop" } = model.metadata.preprocessing;
      return {
        caption: written.text,
        resize,
        seen: imageSize / shortSide,
        rows,
        columns,
        words: words.map((word) => ({ ...word, heat: roundHeat(word.heat) })),
      };
    });
    return context.json(answer);
  });

  app.get("/api/search", async (context) => {
    if (search === undefined) {
      throw new Problem(404, "There is no folder to search; start the server with --images DIR");
    }
    requireIndex(search);
    const { query, top } = readQuery(new URL(context.req.url), SEARCH_QUERY);
    const { found, allWordsKnown } = await within(
      context,
      (signal) => searching(() => search.search(query, top, signal), signal),
    );
    const images = found.map((image) => ({ ...image, url: `/api/images/${image.id}` }));
    return context.json({ allWordsKnown, images } satisfies Answers["Found"]);
  });

  app.get("/api/images/:id{[0-9]{1,9}}", async (context) => {
    if (search === undefined || folder === undefined) {
      throw new Problem(404, "There are no images; start the server with --images DIR");
    }
    requireIndex(search);
    const id = context.req.param("id");
    const path = search.pathOf(Number(id));
    if (path === undefined) throw new Problem(404, `There is no image ${id}`);
    // Hono answers HEAD by a GET handler, and the file would stay open.
    if (context.req.method === "HEAD") return new Response();
    return await within(context, (signal) => readImageFile(path, folder, signal));
  });

  app.get("/api/run", async (context) => context.json(await within(context, () => shown(run).read())));
  app.get("/run", async (context) => {
    // Shared by simultaneous requests, as is the memory of the HTML.
    const report = await within(context, () => rendering ??= render(shown(run)).finally(() => rendering = undefined));
    return new Response(report, { headers: REPORT_HEADERS });
  });

  app.get("/api/health", (context) =>
    context.json(
      { status: "ok", requests: admission.requests, batches: queue.batches } satisfies Answers["Health"],
    ));

  app.get("/api/model", (context) => {
    const { metadata } = model;
    return context.json(
      {
        name: about?.name ?? null,
        epoch: about?.epoch ?? null,
        cider: about?.cider ?? null,
        warning: about?.warning ?? null,
        recipe: metadata.recipe ?? null,
        words: metadata.vocabulary.length,
        imageSize: metadata.preprocessing.imageSize,
        beamSize: metadata.decoding.beamSize,
        lengthPenalty: metadata.decoding.lengthPenalty ?? 0,
        maxLength: metadata.decoding.maxLength,
        limits: { bytes: limits.bytes, requests: limits.requests, seconds: limits.seconds },
        search: search === undefined ? null : { done: search.done, total: search.total },
        run: run?.name ?? null,
      } satisfies Answers["Model"],
    );
  });

  app.get("/api/openapi.json", (context) => context.json(openApi()));

  for (const [path, { text, type }] of PAGE_FILES) {
    app.get(path, () => new Response(text, { headers: { "content-type": type, "cache-control": "no-cache" } }));
  }

  app.notFound(({ req: { path, method } }) => {
    const routes = app.routes.filter((route) => !route.path.endsWith("*")); // without the middleware
    const allowed = routes.find((route) => route.path === path && route.method !== method)?.method;
    if (allowed === undefined) throw new Problem(404, `There is no ${path}; the API is described at /api/openapi.json`);
    const allow = allowed === "GET" ? "GET, HEAD" : allowed;
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

  return { fetch: async (request) => await app.fetch(request), idle: () => admission.idle() };
}

/** Refuses a request for another host, or from another website. */
function checkSource({ url, method, headers }: Request, { hostnames, addresses = false }: AppOptions): void {
  if (!URL.canParse(url)) throw new Problem(400, "The Host header is not a valid host name");
  const { hostname, host } = new URL(url);
  const isAddress = isIP(hostname.replaceAll(/[[\]]/g, "")) !== 0;
  if (hostnames !== undefined && !hostnames.includes(hostname) && !(addresses && isAddress)) {
    const remedy = `use ${hostnames[0]}, or start it with --allow-host ${hostname}`;
    throw new Problem(403, `This server does not answer to '${hostname}'; ${remedy}`);
  }
  if (method === "POST" && isFromElsewhere(headers, host)) {
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

async function render(run: ShownRun): Promise<Blob> {
  return new Blob([await run.report()], { type: "text/html; charset=utf-8" });
}

function captionAnswer({ alternatives, ...best }: Caption): Answers["Caption"] {
  const answer = ({ text, logProbability, tokens }: Caption) => ({ text, logProbability, tokens: [...tokens] });
  return { ...answer(best), ...(alternatives !== undefined && { alternatives: alternatives.map(answer) }) };
}

function requireIndex(search: ImageSearch): void {
  const waiting = search.notReady;
  if (waiting !== undefined) throw new Problem(503, waiting.reason, waiting);
}

function shown(run: ShownRun | undefined): ShownRun {
  if (run !== undefined) return run;
  throw new Problem(404, "There is no run; start the server with --run DIR");
}

/** The report has a policy of its own; the page may frame it. */
const REPORT_HEADERS = { "content-security-policy": "frame-ancestors 'self'", "cache-control": "no-cache" };
