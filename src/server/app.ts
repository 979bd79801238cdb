import { type Context, Hono } from "hono";
import type { Caption } from "../captioning/caption.ts";
import type { Captioner } from "../captioning/captioner.ts";
import { roundHeat } from "../explanation/round_heat.ts";
import type { ModelFacts } from "../checkpoint/model_facts.ts";
import { InputError } from "../input_error.ts";
import type { RgbImage } from "../images/rgb_image.ts";
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
import { withDeadline } from "./deadline.ts";
import { type Answers, openApi } from "./openapi.ts";
import { PAGE_FILES, SECURITY_HEADERS } from "./page.ts";
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
  const { model, about, decoders, limits, search, run, hostnames, signal: stop, onError = () => {} } = options;
  const admission = new Admission({ requests: limits.requests, bytes: Math.max(UPLOADS, limits.bytes) });
  const queue = new CaptionQueue(model);
  const app = new Hono();
  let explaining: Promise<unknown> = Promise.resolve();

  /** Explains one caption at a time, as each takes as long as many captions; skips those of clients that are gone. */
  function explain(image: RgbImage, tokens: readonly string[], signal: AbortSignal) {
    const turn = explaining.then(() => {
      signal.throwIfAborted();
      return model.explain(image, tokens);
    });
    explaining = turn.catch(() => {});
    return turn;
  }

  /** Admits a request's work, and answers on timeout even if the work is not done. */
  function within<Result>(
    { req: { raw } }: Context,
    work: (signal: AbortSignal, take: TakeBytes) => Promise<Result>,
  ): Promise<Result> {
    if (stop?.aborted) throw new Problem(503, "The server is stopping; start it again");
    return withDeadline((signal) => admission.admit((take) => work(signal, take)), {
      seconds: limits.seconds,
      signal: raw.signal,
    });
  }

  function withImage<Result>(
    context: Context,
    use: (image: RgbImage, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const { raw } = context.req;
    return within(context, async (signal, take) => {
      const bytes = await readUpload(raw, { most: limits.bytes, take, signal });
      const decoding = { ...model.decodeOptions, maxPixels: limits.pixels };
      const resized = await decoders.decodeThen({ bytes }, (image) => model.prepare(image), decoding);
      signal.throwIfAborted();
      return await use(resized, signal);
    });
  }

  app.post("/api/caption", async (context) => {
    const decoding = decodingOptions(readQuery(new URL(context.req.url), CAPTION_QUERY));
    const caption = await withImage(context, (image, signal) => queue.caption(image, decoding, signal));
    return context.json(captionAnswer(caption));
  });

  app.post("/api/explain", async (context) => {
    const { given, decoding } = explainedCaption(readQuery(new URL(context.req.url), EXPLAIN_QUERY));
    const answer = await withImage(context, async (image, signal): Promise<Answers["Explanation"]> => {
      const written = given === undefined ? await queue.caption(image, decoding, signal) : {
        caption: given.caption ?? given.token?.join(" ") ?? "",
        tokens: given.token ?? model.tokenize(given.caption ?? ""),
      };
      if (written.tokens.length === 0) throw new Problem(400, "Cannot explain: the caption is empty");
      const { words, rows, columns } = await explain(image, written.tokens.slice(0, MOST_EXPLAINED), signal);
      const { imageSize, shortSide, resize = "crop" } = model.metadata.preprocessing;
      return {
        caption: written.caption,
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
    const { found, allWordsKnown } = await within(context, (signal) => search.search(query, top, signal));
    const images = found.map((image) => ({ ...image, url: `/api/images/${image.id}` }));
    return context.json({ allWordsKnown, images } satisfies Answers["Found"]);
  });

  app.get("/api/images/:id{[0-9]{1,9}}", async (context) => {
    if (search === undefined) throw new Problem(404, "There are no images; start the server with --images DIR");
    requireIndex(search);
    const id = context.req.param("id");
    const path = search.pathOf(Number(id));
    if (path === undefined) throw new Problem(404, `There is no image ${id}`);
    // Hono answers HEAD by a GET handler, and the file would stay open.
    return context.req.method === "HEAD" ? new Response() : await readImageFile(path);
  });

  app.get("/api/run", async (context) => context.json(await shown(run).read()));
  app.get("/run", async (context) => context.html(await shown(run).report(), 200, REPORT_HEADERS));

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
    const allowed = app.routes.find((route) => route.path === path && route.method !== method)?.method;
    if (allowed === undefined) throw new Problem(404, `There is no ${path}; the API is described at /api/openapi.json`);
    const allow = allowed === "GET" ? "GET, HEAD" : allowed;
    throw new Problem(405, `${path} does not support ${method}; use ${allow}`, { allow });
  });

  app.onError((error) => {
    if (error instanceof Problem) return error.response();
    if (error instanceof ImageError) return new Problem(error.kind === "image" ? 422 : 503, error.message).response();
    if (error instanceof InputError) return new Problem(400, error.message).response();
    onError(error);
    return new Problem(500, "The server failed; its log says why").response();
  });

  return {
    fetch: async (request) => secured(refusal(request, hostnames)?.response() ?? await app.fetch(request)),
    idle: () => admission.idle(),
  };
}

/** The problem of a request for another host. */
function refusal({ url }: Request, hostnames: AppOptions["hostnames"]): Problem | undefined {
  if (!URL.canParse(url)) return new Problem(400, "The Host header is not a valid host name");
  const { hostname } = new URL(url);
  if (hostnames === undefined || hostnames.includes(hostname)) return undefined;
  return new Problem(403, `This server does not answer to '${hostname}'; use ${hostnames[0]}, or start it with --host`);
}

/** Adds the security headers that the answer does not set itself. */
function secured(response: Response): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}

function captionAnswer({ alternatives, ...best }: Caption): Answers["Caption"] {
  const answer = ({ caption, logProbability, tokens }: Caption) => ({ caption, logProbability, tokens: [...tokens] });
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
