/**
 * The description of the API that `GET /api/openapi.json` gives.
 *
 * @module
 */

import { z } from "zod";
import { CAPTION_QUERY, EXPLAIN_QUERY, SEARCH_QUERY } from "./caption_query.ts";
import { IMAGE_FIELD } from "./upload.ts";

const count = z.int().nonnegative();
const caption = z.object({
  caption: z.string(),
  logProbability: z.number().describe("Natural logarithm of the probability of its words and of its end"),
  tokens: z.array(z.string()).describe("Its words as the model writes them"),
});

const ANSWERS = {
  Caption: caption.extend({
    alternatives: z.array(caption).describe("The other captions, best first, where nBest is over 1").optional(),
  }),
  Explanation: z.object({
    caption: z.string(),
    seen: z.number().describe(
      "Side of the square in the image's middle that the maps lie over, by the image's short side",
    ),
    rows: count.describe("Rows of each map"),
    columns: count.describe("Places in a row"),
    words: z.array(z.object({
      word: z.string(),
      probability: z.number().describe("How probable the word is after those before it, 0 to 1"),
      strength: z.number().describe("Its warmest place beside the warmest of the caption, 0 to 1"),
      heat: z.array(z.number()).describe("rows x columns, row by row: how much each place speaks for it, 0 to 1"),
    })),
  }),
  Found: z.object({
    allWordsKnown: z.boolean().describe("Whether the model knows all words of the query; it ranks by those it knows"),
    images: z.array(z.object({
      id: count,
      name: z.string(),
      caption: z.string(),
      logProbability: z.number(),
      url: z.string(),
    })),
  }),
  Health: z.object({
    status: z.literal("ok"),
    requests: count.describe("Requests in work or waiting"),
    batches: count.describe("Batches captioned since the start"),
  }),
  Model: z.object({
    recipe: z.string().nullable(),
    words: count.describe("Words of the vocabulary"),
    imageSize: count.describe("Side in pixels of the square that the CNN sees"),
    beamSize: count.describe("Default beam size"),
    maxLength: count.describe("Most words of a caption where nothing is asked for"),
    limits: z.object({
      bytes: count.describe("Of an upload"),
      requests: count.describe("In work or waiting"),
      seconds: z.number().describe("Of a request"),
    }),
    search: z.object({ done: count, total: count }).nullable().describe("Images looked at, of all; null without"),
    run: z.string().nullable().describe("The training run that is shown; null without"),
  }),
  Run: z.object({
    name: z.string(),
    settings: z.record(z.string(), z.string()),
    epochs: z.array(z.record(z.string(), z.number().nullable())),
  }),
  Problem: z.object({
    type: z.string(),
    title: z.string(),
    status: count,
    detail: z.string().describe("What is wrong and what to do"),
  }),
};

/** What the server answers, by name. */
export type Answers = { readonly [Name in keyof typeof ANSWERS]: z.output<typeof ANSWERS[Name]> };

/** The server is called by another's name, or failed. */
const ALWAYS = [403, 500];

type Json = Readonly<Record<string, unknown>>;

/** The document, OpenAPI 3.1. */
export function openApi(): Json {
  const schemas = Object.fromEntries(Object.entries(ANSWERS).map(([name, schema]) => [name, schemaOf(schema)]));
  return {
    openapi: "3.1.0",
    info: { title: "lrcn", version: "1", description: "Captions of images, and images by captions." },
    paths: {
      "/api/caption": {
        post: operation("Captions an image", "Caption", [400, 413, 422, 429, 503], {
          parameters: parametersOf(CAPTION_QUERY),
          requestBody: imageBody(),
        }),
      },
      "/api/explain": {
        post: operation("Says what of an image speaks for each word", "Explanation", [400, 413, 422, 429, 503], {
          parameters: parametersOf(EXPLAIN_QUERY),
          requestBody: imageBody(),
        }),
      },
      "/api/search": {
        get: operation("Finds images of the folder by a sentence", "Found", [400, 404, 429, 503], {
          parameters: parametersOf(SEARCH_QUERY),
        }),
      },
      "/api/images/{id}": {
        get: {
          summary: "A image that a search found",
          parameters: [{ name: "id", in: "path", required: true, schema: { type: "integer", minimum: 0 } }],
          responses: { 200: { description: "The file", content: { "image/*": {} } }, ...problems([404, 503]) },
        },
      },
      "/api/run": { get: operation("The training run that is shown", "Run", [404, 503]) },
      "/api/model": { get: operation("The model and the limits", "Model") },
      "/api/health": { get: operation("Whether the server works", "Health") },
    },
    components: { schemas },
  };
}

function operation(summary: string, answer: keyof Answers, statuses: readonly number[] = [], more: Json = {}): Json {
  const schema = { $ref: `#/components/schemas/${answer}` };
  const answers = { 200: { description: "Done", content: { "application/json": { schema } } } };
  return { summary, ...more, responses: { ...answers, ...problems(statuses) } };
}

function problems(statuses: readonly number[]): Json {
  const schema = { $ref: "#/components/schemas/Problem" };
  const answer = { description: "A problem", content: { "application/problem+json": { schema } } };
  return Object.fromEntries([...statuses, ...ALWAYS].map((status) => [status, answer]));
}

function parametersOf(query: z.ZodObject): Json[] {
  const { properties = {}, required = [] } = schemaOf(query);
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property;
    return { name, in: "query", required: required.includes(name), description, schema };
  });
}

interface Schema {
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
}

function schemaOf(schema: z.ZodType): Schema {
  const { $schema: _, ...others } = z.toJSONSchema(schema, { io: "input" });
  return z.looseObject({
    properties: z.record(z.string(), z.looseObject({})).optional(),
    required: z.array(z.string()).optional(),
  }).parse(others) as Schema;
}

function imageBody(): Json {
  const file = { type: "string", format: "binary" };
  return {
    required: true,
    content: {
      "multipart/form-data": {
        schema: { type: "object", properties: { [IMAGE_FIELD]: file }, required: [IMAGE_FIELD] },
      },
      "image/jpeg": { schema: file },
      "image/png": { schema: file },
    },
  };
}
