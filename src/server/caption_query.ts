import { z } from "zod";
import { MOST_LENGTH_PENALTY } from "../checkpoint/limits.ts";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import { Problem } from "./problem.ts";

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const MOST_PARAMETERS = 100;
const words = z.array(z.string().min(1).max(100)).max(4);

/** Decoding parameters of a request; the bounds keep one request from occupying the machine. */
export const CAPTION_QUERY = z.strictObject({
  beamSize: whole(1, 20).describe("Beam size; 1 is greedy; default: the checkpoint's"),
  nBest: whole(1, 20).describe("Number of captions, best first; default 1"),
  lengthPenalty: z.coerce.number().min(0).max(MOST_LENGTH_PENALTY)
    .describe(
      "Exponent that favors longer captions: they are compared by log-probability / length^lengthPenalty; default: the checkpoint's",
    ),
  temperature: z.coerce.number().min(0.01).max(10)
    .describe("Samples captions instead of searching; below 1 favors probable words"),
  topK: whole(1, 1_000_000).describe("Samples from the topK most probable words; needs temperature"),
  topP: z.coerce.number().gt(0).max(1)
    .describe("Samples from the fewest words whose probabilities sum to topP; needs temperature"),
  seed: whole(0, 2 ** 31 - 1).describe("Seed of sampling; needs temperature; default 0"),
  minLength: whole(1, 100).describe("Minimum length in words; default 1"),
  maxLength: whole(1, 100).describe("Maximum length in words; default: the checkpoint's"),
  noRepeatNgramSize: whole(0, 10).describe("No n-gram of this size occurs twice; 0 allows all"),
  with: words.describe("Words that each caption contains"),
  without: words.describe("Words that no caption contains"),
  begin: z.string().max(500).describe("Text that each caption begins with"),
}).partial();

/** Parameters of an explanation: a caption, or the decoding parameters of one. */
export const EXPLAIN_QUERY = CAPTION_QUERY.extend({
  caption: z.string().max(2000).describe("The caption to explain; default: the model's own").optional(),
  token: z.array(z.string().max(100)).max(40)
    .describe("The caption's tokens, as in an answer; instead of caption").optional(),
});

/** Parameters of a search. */
export const SEARCH_QUERY = z.strictObject({
  query: z.string().trim().min(1).max(500).describe("The sentence to search for"),
  top: whole(1, 100).default(12).describe("Number of results; default 12"),
});

/**
 * Parses a request's query.
 *
 * @param schema The parameters; repeated ones are lists.
 * @throws {Problem} 400 if a parameter is unknown or not valid.
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
  const name = issue?.path.join(".") ?? "";
  throw new Problem(400, `Cannot read the query${name === "" ? "" : `, ${name}`}: ${issue?.message ?? ""}`);
}

function isList(schema: unknown): boolean {
  if (schema instanceof z.ZodOptional) return isList(schema.unwrap());
  return schema instanceof z.ZodArray;
}

/**
 * Converts a query to decoding options.
 *
 * @throws {Problem} 400 if parameters contradict each other.
 */
export function decodingOptions(query: z.output<typeof CAPTION_QUERY>): DecodingOptions {
  const { temperature, topK, topP, seed, with: forced, without: forbidden, begin: prefix, ...others } = query;
  const sampling = { topK, topP, seed };
  if (temperature === undefined) {
    for (const [name, value] of Object.entries(sampling)) {
      if (value !== undefined) throw new Problem(400, `Cannot read the query: ${name} needs temperature`);
    }
    return { ...others, forced, forbidden, prefix };
  }
  for (const name of ["beamSize", "lengthPenalty"] as const) {
    if (others[name] !== undefined) {
      throw new Problem(400, `Cannot read the query: temperature samples captions and ${name} searches; give only one`);
    }
  }
  return { ...others, forced, forbidden, prefix, sampling: { temperature, ...sampling } };
}

/** The caption to explain. */
export interface ExplainedCaption {
  /** The caption as a sentence or as tokens; undefined to generate it. */
  readonly given?: { readonly caption?: string | undefined; readonly token?: readonly string[] | undefined };
  /** Decoding options to generate it. */
  readonly decoding: DecodingOptions;
}

/**
 * Converts a query to the caption to explain.
 *
 * @throws {Problem} 400 if it gives both a caption and decoding parameters.
 */
export function explainedCaption({ caption, token, ...writing }: z.output<typeof EXPLAIN_QUERY>): ExplainedCaption {
  const decoding = decodingOptions(writing);
  if (caption === undefined && token === undefined) return { decoding };
  const [other] = caption !== undefined && token !== undefined ? ["token"] : Object.keys(writing);
  if (other === undefined) return { given: { caption, token }, decoding };
  const name = caption === undefined ? "token" : "caption";
  throw new Problem(400, `Cannot read the query: ${name} gives the caption to explain; remove ${other}`);
}
