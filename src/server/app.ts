import type { Context } from "hono";
import type { Caption } from "../captioning/caption.ts";
import type { Captioner, PreparedImage } from "../captioning/captioner.ts";
import { prepareFile } from "../captioning/prepared_batches.ts";
import { roundHeat } from "../explanation/round_heat.ts";
import type { ModelFacts } from "../checkpoint/model_facts.ts";
import type { ImageDecoders } from "../images/image_decoders.ts";
import { readImageFile } from "./image_answer.ts";
import {
  CAPTION_QUERY,
  decodingOptions,
  EXPLAIN_QUERY,
  explainedCaption,
  readQuery,
  SEARCH_QUERY,
} from "./caption_query.ts";
import { CaptionQueue } from "./caption_queue.ts";
import { oneAtATime } from "./deadline.ts";
import { type App, guardedApp, type GuardOptions, servePage } from "./guards.ts";
import { type Answers, openApi } from "./openapi.ts";
import { EXAMPLES, PAGE_FILES, readExample } from "./page.ts";
import type { ImageSearch } from "../evaluation/image_search.ts";
import { Problem } from "./problem.ts";
import { readUpload } from "./upload.ts";

/** The part of a captioner that the server uses. */
export type ServedModel = Pick<
  Captioner,
  "decodeOptions" | "prepare" | "caption" | "explain" | "tokenize" | "metadata"
>;

/** Options of {@linkcode createApp}. */
export interface AppOptions extends GuardOptions {
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

/** Maximum length of an explained caption: time grows with its square. */
const MOST_EXPLAINED = 40;

/** Creates the page and the API. */
export function createApp(options: AppOptions): App {
  const { model, about, decoders, limits, search, folder, run } = options;
  const guarded = guardedApp(options);
  const { app, admission, within } = guarded;
  const queue = new CaptionQueue(model);
  // Each takes as long as many captions.
  const explaining = oneAtATime();
  const searching = oneAtATime();
  let rendering: Promise<Blob> | undefined;

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
    const { found, unknownWords } = await within(
      context,
      (signal) => searching(() => search.search(query, top, signal), signal),
    );
    const images = found.map((image) => ({ ...image, url: `/api/images/${image.id}` }));
    return context.json({ unknownWords, images } satisfies Answers["Found"]);
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

  servePage(app, PAGE_FILES);
  for (const name of EXAMPLES) {
    app.get(`/examples/${name}`, async () => new Response(await readExample(name), { headers: JPEG_HEADERS }));
  }

  return guarded;
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

const JPEG_HEADERS = { "content-type": "image/jpeg", "cache-control": "no-cache" };
/** The report has a policy of its own; the page may frame it. */
const REPORT_HEADERS = { "content-security-policy": "frame-ancestors 'self'", "cache-control": "no-cache" };
