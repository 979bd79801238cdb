import { z } from "zod";
import { IMAGE_RESIZES } from "../ffi/settings.ts";
import { CAPTION_QUERY, EXPLAIN_QUERY, SEARCH_QUERY } from "./caption_query.ts";
import { IMAGE_FIELD } from "./upload.ts";

const count = z.int().nonnegative();
const caption = z.object({
  text: z.string(),
  logProbability: z.number().describe("Natural logarithm of the probability of its tokens and of its end"),
  tokens: z.array(z.string()).describe("Its tokens"),
});

const ANSWERS = {
  Caption: caption.extend({
    alternatives: z.array(caption).describe("The other captions, best first, if nBest is over 1").optional(),
  }),
  Explanation: z.object({
    caption: z.string(),
    resize: z.enum(IMAGE_RESIZES).describe(
      "Whether the maps cover the image's center crop, or all of the image, which the model sees stretched to a square",
    ),
    seen: z.number().describe("Side of the center crop relative to the image's short side; 1 if it is stretched"),
    rows: count.describe("Rows of each map"),
    columns: count.describe("Columns of each map"),
    words: z.array(z.object({
      word: z.string(),
      probability: z.number().describe("Probability of the word given the words before it, 0 to 1"),
      strength: z.number().describe("The map's maximum before scaling, relative to the highest of the caption, 0 to 1"),
      heat: z.array(z.number()).describe("Grad-CAM heat map: rows x columns, row by row, 0 to 1"),
    })),
  }),
  Found: z.object({
    unknownWords: z.array(z.string()).describe(
      "Words of the query that are not in the vocabulary, ranked as <unk>; if all are, there are no images",
    ),
    images: z.array(z.object({
      id: count,
      name: z.string(),
      caption: z.string(),
      logProbability: z.number(),
      probability: z.number().describe("Geometric mean of the probabilities of the query's tokens and its end"),
      url: z.string(),
    })),
  }),
  Health: z.object({
    status: z.literal("ok"),
    requests: count.describe("Requests in progress or waiting"),
    batches: count.describe("Batches captioned since the start"),
  }),
  Model: z.object({
    name: z.string().nullable().describe("The model's run or file"),
    epoch: count.nullable().describe("The epoch after which it was saved; null if its file does not say"),
    cider: z.number().nullable().describe("CIDEr of its captions on its validation set; null if its file does not say"),
    warning: z.string().nullable().describe("Says that the model ignores its images, if its own metrics show it"),
    recipe: z.string().nullable(),
    words: count.describe("Size of the vocabulary"),
    imageSize: count.describe("Side of the CNN's input in pixels"),
    beamSize: count.describe("Default beam size"),
    lengthPenalty: z.number().describe("Default length penalty"),
    maxLength: count.describe("Default maximum length of a caption in words"),
    limits: z.object({
      bytes: count.describe("Maximum size of an upload"),
      requests: count.describe("Maximum number of requests in progress or waiting"),
      seconds: z.number().describe("Timeout of a request"),
    }),
    search: z.object({ done: count, total: count }).nullable().describe(
      "Images indexed and their total; null without --images",
    ),
    run: z.string().nullable().describe("Name of the training run; null without --run"),
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
    detail: z.string().describe("What is wrong, and what to do"),
  }),
};

/** The answers by name. */
export type Answers = { readonly [Name in keyof typeof ANSWERS]: z.output<typeof ANSWERS[Name]> };

/** The host name or another site is refused, or the server failed. */
const ALWAYS = [403, 500];

type Json = Readonly<Record<string, unknown>>;

/** The document, OpenAPI 3.1. */
export function openApi(): Json {
  const schemas = Object.fromEntries(Object.entries(ANSWERS).map(([name, schema]) => [name, schemaOf(schema)]));
  return {
    openapi: "3.1.0",
    info: { title: "lrcn", version: "1", description: "Image captioning and image search." },
    paths: {
      "/api/caption": {
        post: operation("Captions an image", "Caption", [400, 413, 422, 429, 503], {
          parameters: parametersOf(CAPTION_QUERY),
          requestBody: imageBody(),
        }),
      },
      "/api/explain": {
        post: operation("Computes a heat map for each word of a caption", "Explanation", [400, 413, 422, 429, 503], {
          parameters: parametersOf(EXPLAIN_QUERY),
          requestBody: imageBody(),
        }),
      },
      "/api/search": {
        get: operation("Searches the folder's images by a sentence", "Found", [400, 404, 429, 503], {
          parameters: parametersOf(SEARCH_QUERY),
        }),
      },
      "/api/images/{id}": {
        get: {
          summary: "An image of the folder",
          parameters: [{ name: "id", in: "path", required: true, schema: { type: "integer", minimum: 0 } }],
          responses: { 200: { description: "The file", content: { "image/*": {} } }, ...problems([404, 429, 503]) },
        },
      },
      "/api/run": { get: operation("The training run", "Run", [404, 429, 503]) },
      "/api/model": { get: operation("The model and the server's limits", "Model") },
      "/api/health": { get: operation("The server's state", "Health") },
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
      "image/*": { schema: file },
    },
  };
}
