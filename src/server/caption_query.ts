/**
 * How a request says how its captions are to be written.
 *
 * @module
 */

import { z } from "zod";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import { Problem } from "./problem.ts";

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const MOST_PARAMETERS = 100;
const words = z.array(z.string().min(1).max(100)).max(4);

/** What a request may ask of its captions; the bounds keep one from taking the machine from all others. */
export const CAPTION_QUERY = z.strictObject({
  beamSize: whole(1, 20).describe("Beam size; 1 is greedy. The checkpoint's by default"),
  nBest: whole(1, 20).describe("Captions wanted, best first; 1 by default"),
  lengthPenalty: z.coerce.number().min(0).max(5)
    .describe("Favours longer captions: they are compared by log-probability / length^lengthPenalty; 0 by default"),
  temperature: z.coerce.number().min(0.01).max(10)
    .describe("Draws captions at random instead of searching; under 1 for likelier words"),
  topK: whole(1, 1_000_000).describe("Draws from so many most probable words; needs temperature"),
  topP: z.coerce.number().gt(0).max(1).describe("Draws from the fewest words of this share; needs temperature"),
  seed: whole(0, 2 ** 31 - 1).describe("Decides what is drawn; needs temperature; 0 by default"),
  minLength: whole(1, 100).describe("Least words; 1 by default"),
  maxLength: whole(1, 100).describe("Most words; the checkpoint's by default"),
  noRepeatNgramSize: whole(0, 10).describe("No so many words in a row come twice; 0 allows all"),
  with: words.describe("Words that each caption holds"),
  without: words.describe("Words that no caption holds"),
  begin: z.string().max(500).describe("What each caption begins with"),
}).partial();

/** What a request that explains a caption may say: the caption, or how it is written. */
export const EXPLAIN_QUERY = CAPTION_QUERY.extend({
  caption: z.string().max(2000).describe("The caption to explain; the model's own by default").optional(),
  token: z.array(z.string().max(100)).max(40)
    .describe("Instead of caption: its words, as tokens of an answer gave them").optional(),
});

/** What a search may say. */
export const SEARCH_QUERY = z.strictObject({
  query: z.string().trim().min(1).max(500).describe("The sentence to look for"),
  top: whole(1, 100).default(12).describe("Images wanted; 12 by default"),
});

/**
 * Reads a request's query.
 *
 * @param url The request's address.
 * @param schema What may be in it; names that stand several times are lists.
 * @returns What it asks for.
 * @throws {Problem} 400 if something else is in it.
 */
export function readQuery<Shape extends z.ZodRawShape>(url: URL, schema: z.ZodObject<Shape>): z.output<typeof schema> {
  if (url.searchParams.size > MOST_PARAMETERS) {
    throw new Problem(400, `Cannot read the query: it has more than ${MOST_PARAMETERS} parameters`);
  }
  const given: Record<string, string | string[] | undefined> = Object.create(null);
  for (const name of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(name);
    given[name] = isList(schema.shape[name]) ? values : values.length === 1 ? values[0] : values;
  }
  const parsed = schema.safeParse({ ...given });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.join(".") ?? "";
  throw new Problem(400, `Cannot read the query${place === "" ? "" : `, ${place}`}: ${issue?.message ?? ""}`);
}

function isList(schema: unknown): boolean {
  if (schema instanceof z.ZodOptional) return isList(schema.unwrap());
  return schema instanceof z.ZodArray;
}

/**
 * Says how captions are to be written.
 *
 * @param query What {@linkcode readQuery} gave.
 * @returns Options of captioning.
 * @throws {Problem} 400 if they do not go together.
 */
export function decodingOptions(query: z.output<typeof CAPTION_QUERY>): DecodingOptions {
  const { temperature, topK, topP, seed, with: forced, without: forbidden, begin: prefix, ...others } = query;
  const drawing = { topK, topP, seed };
  if (temperature === undefined) {
    for (const [name, value] of Object.entries(drawing)) {
      if (value !== undefined) throw new Problem(400, `Cannot read the query: ${name} needs temperature`);
    }
    return { ...others, forced, forbidden, prefix };
  }
  for (const name of ["beamSize", "lengthPenalty"] as const) {
    if (others[name] !== undefined) {
      throw new Problem(400, `Cannot read the query: temperature draws captions and ${name} searches; leave out one`);
    }
  }
  return { ...others, forced, forbidden, prefix, sampling: { temperature, ...drawing } };
}

/** What is to be explained. */
export interface ExplainedCaption {
  /** A caption, as a sentence or as its words; undefined for one that is to be written. */
  readonly given?: { readonly caption?: string | undefined; readonly token?: readonly string[] | undefined };
  /** How one is written. */
  readonly decoding: DecodingOptions;
}

/**
 * Says what is to be explained.
 *
 * @param query What {@linkcode readQuery} gave.
 * @returns A caption, or how one is to be written.
 * @throws {Problem} 400 if it says both.
 */
export function explainedCaption({ caption, token, ...writing }: z.output<typeof EXPLAIN_QUERY>): ExplainedCaption {
  const decoding = decodingOptions(writing);
  if (caption === undefined && token === undefined) return { decoding };
  const [other] = caption !== undefined && token !== undefined ? ["token"] : Object.keys(writing);
  if (other === undefined) return { given: { caption, token }, decoding };
  const name = caption === undefined ? "token" : "caption";
  throw new Problem(400, `Cannot read the query: ${name} says which caption to explain; leave out ${other}`);
}
