import assert from "node:assert/strict";
import {
  CAPTION_QUERY,
  decodingOptions,
  EXPLAIN_QUERY,
  explainedCaption,
  readQuery,
  SEARCH_QUERY,
} from "../../src/server/caption_query.ts";
import { Problem } from "../../src/server/problem.ts";

const urlOf = (query: string | readonly (readonly [string, string])[]) => {
  const url = new URL("http://localhost/");
  url.search = new URLSearchParams(typeof query === "string" ? query : query.map(([...pair]) => pair)).toString();
  return url;
};
const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof Problem && error.status === 400 && pattern.test(error.message);

Deno.test("readQuery() takes the numbers within a parameter's bounds, and refuses the next outside them", () => {
  const bounds: Record<string, [least: number, most: number, step: number]> = {
    ...{ beamSize: [1, 20, 1], nBest: [1, 20, 1], lengthPenalty: [0, 5, 0.001], temperature: [0.01, 10, 0.001] },
    ...{ topK: [1, 1_000_000, 1], topP: [0.001, 1, 0.001], seed: [0, 2 ** 31 - 1, 1], minLength: [1, 100, 1] },
    ...{ maxLength: [1, 100, 1], noRepeatNgramSize: [0, 10, 1] },
  };
  const numbers = Object.entries(CAPTION_QUERY.shape).filter(([, schema]) => !schema.safeParse(["dog"]).success);
  assert.deepEqual(numbers.map(([name]) => name).filter((name) => name !== "begin").sort(), Object.keys(bounds).sort());
  for (const [name, [least, most, step]] of Object.entries(bounds)) {
    for (const value of [least, most]) {
      assert.deepEqual(readQuery(urlOf([[name, String(value)]]), CAPTION_QUERY), { [name]: value });
    }
    for (const value of [least - step, most + step, "many", "", "NaN"]) {
      if (value === "" && least === 0) continue; // a number of no digits is 0
      const url = urlOf([[name, String(value)]]);
      assert.throws(() => readQuery(url, CAPTION_QUERY), refused(new RegExp(`, ${name}: `)), `${name}=${value}`);
    }
    if (step === 1) {
      assert.throws(() => readQuery(urlOf([[name, String(least + 0.5)]]), CAPTION_QUERY), refused(/int/));
    }
  }
});

Deno.test("readQuery() bounds the number of words and the length of texts", () => {
  const times = <Item>(count: number, item: Item) => Array<Item>(count).fill(item);
  for (const name of ["with", "without"]) {
    readQuery(urlOf(times(4, [name, "w".repeat(100)])), CAPTION_QUERY);
    for (const bad of [times(5, [name, "dog"]), [[name, ""]], [[name, "w".repeat(101)]]] as [string, string][][]) {
      assert.throws(() => readQuery(urlOf(bad), CAPTION_QUERY), refused(new RegExp(`, ${name}`)));
    }
  }
  const texts: [name: string, most: number, schema: Parameters<typeof readQuery>[1]][] = [
    ["begin", 500, CAPTION_QUERY],
    ["caption", 2000, EXPLAIN_QUERY],
    ["token", 100, EXPLAIN_QUERY],
    ["query", 500, SEARCH_QUERY],
  ];
  for (const [name, most, schema] of texts) {
    readQuery(urlOf([[name, "w".repeat(most)]]), schema);
    assert.throws(() => readQuery(urlOf([[name, "w".repeat(most + 1)]]), schema), refused(new RegExp(`, ${name}`)));
  }
  readQuery(urlOf(times(40, ["token", "dog"])), EXPLAIN_QUERY);
  assert.throws(() => readQuery(urlOf(times(41, ["token", "dog"])), EXPLAIN_QUERY), refused(/, token: /));
  assert.throws(() => readQuery(urlOf(times(101, ["token", "dog"])), EXPLAIN_QUERY), refused(/more than 100 para/));
});

Deno.test("readQuery() refuses unknown names in one line, whatever they are", () => {
  for (const name of ["beem", "__proto__", "constructor", "a\nb", "with[]"]) {
    assert.throws(
      () => readQuery(urlOf([[name, "1"]]), CAPTION_QUERY),
      (error) => refused(/^Cannot read the query: .*key/)(error) && !String(error).includes("\n"),
    );
  }
});

Deno.test("readQuery() requires a sentence that is not blank, and defaults to 12 images, at most 100", () => {
  assert.deepEqual(readQuery(urlOf("query=+dog+"), SEARCH_QUERY), { query: "dog", top: 12 });
  assert.equal(readQuery(urlOf("query=dog&top=100"), SEARCH_QUERY).top, 100);
  for (const bad of ["query=dog&top=101", "query=dog&top=0", "query=+", "top=2"]) {
    assert.throws(() => readQuery(urlOf(bad), SEARCH_QUERY), refused(/, (query|top): /));
  }
});

Deno.test("decodingOptions() passes constraints on, for searching and sampling", () => {
  const query = "with=dog&without=cat&begin=a&minLength=3&maxLength=9&noRepeatNgramSize=2&nBest=4";
  const others = { minLength: 3, maxLength: 9, noRepeatNgramSize: 2, nBest: 4 };
  const held = { forced: ["dog"], forbidden: ["cat"], prefix: "a" };
  const options = (more: string) => decodingOptions(readQuery(urlOf(`${query}${more}`), CAPTION_QUERY));
  assert.deepEqual(options("&beamSize=5&lengthPenalty=1"), { ...others, ...held, beamSize: 5, lengthPenalty: 1 });
  assert.deepEqual(options("&temperature=0.5&topK=5&topP=0.9&seed=7"), {
    ...others,
    ...held,
    sampling: { temperature: 0.5, topK: 5, topP: 0.9, seed: 7 },
  });
});

Deno.test("decodingOptions() refuses sampling options without a temperature, and search options with one", () => {
  for (const name of ["topK", "topP", "seed"]) {
    const query = readQuery(urlOf(`${name}=1`), CAPTION_QUERY);
    assert.throws(() => decodingOptions(query), refused(new RegExp(`${name} needs temperature$`)));
  }
  for (const name of ["beamSize", "lengthPenalty"]) {
    const query = readQuery(urlOf(`temperature=1&${name}=1`), CAPTION_QUERY);
    assert.throws(
      () => decodingOptions(query),
      refused(new RegExp(`temperature samples captions and ${name} searches`)),
    );
  }
});

Deno.test("explainedCaption() takes a caption, its tokens, or decoding options, and no two of them", () => {
  const explained = (query: string) => explainedCaption(readQuery(urlOf(query), EXPLAIN_QUERY));
  assert.deepEqual(explained("caption=a+dog").given, { caption: "a dog", token: undefined });
  assert.deepEqual(explained("token=a&token=dog").given, { caption: undefined, token: ["a", "dog"] });
  assert.equal(explained("beamSize=2").given, undefined);
  assert.equal(explained("beamSize=2").decoding.beamSize, 2);
  const bad = {
    "caption=a&token=b": "token",
    "caption=a&beamSize=2": "beamSize",
    "token=a&temperature=1": "temperature",
  };
  for (const [query, other] of Object.entries(bad)) {
    assert.throws(() => explained(query), refused(new RegExp(`gives the caption to explain; remove ${other}$`)), query);
  }
});
