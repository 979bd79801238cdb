import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import type { ModelFacts } from "../../checkpoint/model_facts.ts";
import { ImageError } from "../../images/image_error.ts";
import { InputError } from "../../input_error.ts";
import { readQuery } from "../caption_query.ts";
import { type App, guardedApp, type GuardOptions, servePage } from "../guards.ts";
import { readImageFile } from "../image_answer.ts";
import { Problem } from "../problem.ts";
import { LABEL_PAGE_FILES } from "./label_page.ts";
import { LABEL_SOURCES, type Labels, type LabelsFile, oneLine } from "./labels_file.ts";
import type { Proposals } from "./proposals.ts";

/** Options of {@linkcode createLabelApp}. */
export interface LabelAppOptions extends GuardOptions {
  /** Which model proposes. */
  readonly about: ModelFacts & { readonly warning: string | undefined };
  /** The command that trains on the labels. */
  readonly command: string;
  /** The images' names, in the folder's order. */
  readonly names: readonly string[];
  readonly proposals: Proposals;
  readonly labels: LabelsFile;
  /** The real path of the folder of images: only files inside it are served. */
  readonly folder: string;
}

/** The API's answers. */
export interface LabelAnswers {
  readonly Labels: {
    readonly model: ModelFacts & { readonly warning: string | null };
    readonly command: string;
    /** Number of images with proposals, or without for good. */
    readonly proposed: number;
    readonly images: readonly LabelAnswers["Image"][];
  };
  readonly Image: {
    readonly name: string;
    readonly caption: string | null;
    readonly source: string;
    /** The probability of the best proposal; null if it is not known. */
    readonly probability: number | null;
    /** Why there are no proposals. */
    readonly problem: string | null;
  };
}

const MOST_BYTES = 2 ** 16;
const CAPTION = z.string().max(2000);
const NAME = z.string().min(1).max(4096);
const NAME_QUERY = z.strictObject({ name: NAME });
const CHANGE = z.strictObject({
  image: NAME,
  label: z.strictObject({ caption: CAPTION, source: z.enum(["", ...LABEL_SOURCES]) }).nullable(),
  before: CAPTION.nullable(),
});

/** Creates the page and the API of labeling. */
export function createLabelApp(options: LabelAppOptions): App {
  const { about, command, names, proposals, labels, folder } = options;
  const guarded = guardedApp(options);
  const { app, within } = guarded;

  const imageAnswer = (name: string, all: Labels): LabelAnswers["Image"] => {
    const label = all.get(name);
    return {
      name,
      caption: label?.caption || null,
      source: label?.source ?? "",
      probability: proposals.probabilityOf(name),
      problem: proposals.problemOf(name),
    };
  };

  const pathOf = (url: string): { name: string; path: string } => {
    const { name } = readQuery(new URL(url), NAME_QUERY);
    return { name, path: knownPath(proposals, name) };
  };

  app.get("/api/labels", async (context) => {
    const all = await within(context, () => fileProblem(labels.read()));
    return context.json(
      {
        model: { name: about.name, epoch: about.epoch, cider: about.cider, warning: about.warning ?? null },
        command,
        proposed: proposals.count,
        images: names.map((name) => imageAnswer(name, all)),
      } satisfies LabelAnswers["Labels"],
    );
  });

  const limit = bodyLimit({ maxSize: MOST_BYTES, onError: () => tooLarge() });
  app.post("/api/labels", limit, async (context) => {
    const change = readChange(await context.req.text());
    knownPath(proposals, change.image);
    if (change.label !== null && oneLine(change.label.caption) === "") throw new Problem(400, "The caption is empty");
    const { changed, label } = await within(context, () => labels.change(change));
    if (!changed) {
      const now = label === null ? "removed its caption" : `captioned it “${label.caption}”`;
      throw new Problem(409, `Another tab or program ${now}; decide again to replace that`);
    }
    return context.json(imageAnswer(change.image, new Map(label === null ? [] : [[change.image, label]])));
  });

  app.get("/api/proposals", async (context) => {
    const { name } = pathOf(context.req.url);
    try {
      return context.json({ proposals: await within(context, () => proposals.of(name)) });
    } catch (error) {
      if (error instanceof ImageError) throw new Problem(422, `The image cannot be captioned: ${error.reason}`);
      throw error;
    }
  });

  app.get("/api/image", async (context) => {
    const { path } = pathOf(context.req.url);
    // Hono answers HEAD by a GET handler, and the file would stay open.
    if (context.req.method === "HEAD") return new Response();
    return await within(context, (signal) => readImageFile(path, folder, signal));
  });

  servePage(app, LABEL_PAGE_FILES);
  return guarded;
}

function readChange(text: string): z.output<typeof CHANGE> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem(400, "The request is not JSON");
  }
  const parsed = CHANGE.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Problem(400, `Cannot read the request, ${issue?.path.join(".")}: ${issue?.message}`);
}

function knownPath(proposals: Proposals, name: string): string {
  const path = proposals.pathOf(name);
  if (path === undefined) throw new Problem(404, `The folder had no image ${name} at the start; start the task again`);
  return path;
}

function tooLarge(): never {
  throw new Problem(413, `The request has more than ${MOST_BYTES} bytes; write a shorter caption`);
}

/** A file that was damaged meanwhile is not the client's error. */
async function fileProblem<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof InputError) throw new Problem(503, error.message);
    throw error;
  }
}
