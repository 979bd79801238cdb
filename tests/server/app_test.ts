import assert from "node:assert/strict";
import { heatColor } from "../../src/explanation/heat_color.ts";
import { InputError } from "../../src/input_error.ts";
import type { ImageSearch } from "../../src/evaluation/image_search.ts";
import type { AppOptions } from "../../src/server/app.ts";
import type { App } from "../../src/server/guards.ts";
import { ask, fakeApp, fakeModel, LIMITS } from "../support/fake_model.ts";
import { picture } from "../support/picture.ts";
import { canRead } from "../support/test_data.ts";

const post = (body: BodyInit, headers: HeadersInit = {}) => ({ method: "POST", body, headers });

/** Asserts a problem's status and detail. */
async function assertProblem(answer: Response, status: number, pattern: RegExp): Promise<void> {
  const problem = await answer.json();
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [status, "application/problem+json"]);
  assert.deepEqual(Object.keys(problem), ["type", "title", "status", "detail"]);
  assert.equal(problem.status, status);
  assert.match(problem.detail, pattern);
  assert.doesNotMatch(problem.detail, /\n/);
}

Deno.test("POST /api/caption captions the bytes of an image", async () => {
  const answer = await ask(fakeApp(), "/api/caption", post(picture(8)));
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { text: "8 wide", logProbability: -1, tokens: ["8", "wide"] });
});

Deno.test("POST /api/caption captions the file in a form's field `image`", async () => {
  const form = new FormData();
  form.set("other", "text");
  form.set("image", new Blob([picture(9)]), "photo.png");
  const answer = await ask(fakeApp(), "/api/caption", post(form));
  assert.equal((await answer.json()).text, "9 wide");
});

Deno.test("POST /api/caption returns alternatives, and passes the decoding options on", async () => {
  const { model, asked } = fakeModel();
  const answer = await ask(
    fakeApp({ model }),
    "/api/caption?nBest=2&beamSize=5&lengthPenalty=0.7&maxLength=9&with=dog&with=red&begin=a%20dog",
    post(picture(8)),
  );
  const { alternatives } = await answer.json();
  assert.deepEqual(alternatives, [{ text: "8 pixels", logProbability: -1, tokens: ["8", "pixels"] }]);
  assert.deepEqual(JSON.parse(JSON.stringify(asked[0]?.decoding)), {
    nBest: 2,
    beamSize: 5,
    lengthPenalty: 0.7,
    maxLength: 9,
    forced: ["dog", "red"],
    prefix: "a dog",
  });
});

Deno.test("POST /api/explain explains the model's caption, a given one, or given tokens", async () => {
  const app = fakeApp();
  const words = async (query: string) => {
    const answer = await ask(app, `/api/explain${query}`, post(picture(8)));
    const { words, ...others } = await answer.json();
    return { ...others, words: words.map(({ word }: { word: string }) => word) };
  };
  const maps = { resize: "crop", seen: 224 / 256, rows: 2, columns: 2 };
  assert.deepEqual(await words(""), { caption: "8 wide", ...maps, words: ["8", "wide"] });
  assert.deepEqual(await words("?caption=two dogs"), { caption: "two dogs", ...maps, words: ["two", "dogs"] });
  assert.deepEqual(await words("?token=dog&token='s"), { caption: "dog 's", ...maps, words: ["dog", "'s"] });
  const answer = await ask(app, "/api/explain?token=dog", post(picture(8)));
  assert.deepEqual((await answer.json()).words[0].heat, [0, 0.3333, 0, 1]);
  await assertProblem(await ask(app, "/api/explain?caption=%20", post(picture(8))), 400, /the caption is empty/);
});

Deno.test("an image that cannot be captioned is a problem that says what to do", async (t) => {
  const app = fakeApp({ limits: { ...LIMITS, bytes: 1000, pixels: 100 } });
  const cases: Record<string, [path: string, body: BodyInit, status: number, pattern: RegExp]> = {
    "a text": ["", "no image at all", 422, /^Cannot decode image: the file is text.*give an image file$/],
    "a cut image": ["", picture().slice(0, 45), 422, /^Cannot decode image: the PNG ends too early/],
    "an image of too many pixels": ["", picture(30, 30), 422, /^Cannot decode image: the image has 30 x 30 pixels/],
    "nothing": ["", "", 400, /^There is no image: send its bytes, or a form/],
    "a form without the field": ["", new FormData(), 400, /^There is no image/],
    "too many bytes": ["", new Uint8Array(1001), 413, /^The upload has more than 1000 bytes; send a smaller image$/],
    "an unknown name": ["?beem=2", picture(), 400, /beem/],
    "a number out of range": ["?beamSize=0", picture(), 400, /^Cannot read the query, beamSize: /],
    "an invalid number": ["?maxLength=many", picture(), 400, /^Cannot read the query, maxLength: /],
    "a name twice": ["?beamSize=2&beamSize=3", picture(), 400, /^Cannot read the query, beamSize: /],
    "sampling and searching": ["?temperature=1&beamSize=2", picture(), 400, /temperature samples.*beamSize searches/],
    "a seed for nothing": ["?seed=1", picture(), 400, /seed needs temperature/],
  };
  for (const [name, [query, body, status, pattern]] of Object.entries(cases)) {
    await t.step(name, async () => {
      await assertProblem(await ask(app, `/api/caption${query}`, post(body)), status, pattern);
    });
  }
  await t.step("an invalid form", async () => {
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    await assertProblem(await ask(app, "/api/caption", post("--y", headers)), 400, /^The form cannot be read/);
  });
  await t.step("more bytes than a body without a length may have", async () => {
    let left = 5;
    const body = new ReadableStream({
      pull: (controller) => left-- > 0 ? controller.enqueue(new Uint8Array(300)) : controller.close(),
    });
    await assertProblem(await ask(app, "/api/caption", post(body)), 413, /more than 1000 bytes/);
  });
});

Deno.test("an unsatisfiable request is a problem of the request; an internal error is told to the log only", async () => {
  const { model } = fakeModel({ failure: new InputError("Cannot write captions with 'xyzzy'") });
  await assertProblem(await ask(fakeApp({ model }), "/api/caption", post(picture())), 400, /^Cannot write.*'xyzzy'$/);
  const errors: unknown[] = [];
  const failure = new TypeError("secret");
  const app = fakeApp({ model: fakeModel({ failure }).model, onError: (error) => errors.push(error) });
  await assertProblem(await ask(app, "/api/caption", post(picture())), 500, /^The server failed; its log says why$/);
  assert.deepEqual(errors, [failure]);
});

Deno.test("a bad image does not affect other requests", async () => {
  const app = fakeApp();
  const bodies = [picture(8), "text", picture(9), picture(10).slice(0, 45)];
  const answers = await Promise.all(bodies.map((body) => ask(app, "/api/caption", post(body))));
  assert.deepEqual(answers.map(({ status }) => status), [200, 422, 200, 422]);
  const captions = await Promise.all([answers[0], answers[2]].map(async (answer) => (await answer?.json()).text));
  assert.deepEqual(captions, ["8 wide", "9 wide"]);
});

Deno.test("requests over the limit get 429 with Retry-After, and room is given back", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const app = fakeApp({ model: fakeModel({ until: () => promise }).model, limits: { ...LIMITS, requests: 2 } });
  const first = [ask(app, "/api/caption", post(picture())), ask(app, "/api/caption", post(picture()))];
  const refused = await ask(app, "/api/caption", post(picture()));
  assert.match(refused.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
  await assertProblem(refused, 429, /^2 requests are in progress; try again later$/);
  assert.equal((await (await ask(app, "/api/health")).json()).requests, 2);
  resolve();
  for (const answer of await Promise.all(first)) assert.equal(answer.status, 200);
  assert.equal((await ask(app, "/api/caption", post(picture()))).status, 200);
});

Deno.test("a request that times out is answered, and occupies its slot until its work is done", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const limits = { ...LIMITS, requests: 1, seconds: 0.05 };
  const app = fakeApp({ model: fakeModel({ until: () => promise }).model, limits });
  await assertProblem(await ask(app, "/api/caption", post(picture())), 503, /^The answer took more than 0\.05 s/);
  assert.equal((await ask(app, "/api/caption", post(picture()))).status, 429);
  resolve();
  await app.idle();
  assert.equal((await ask(app, "/api/caption", post(picture()))).status, 200);
});

Deno.test("an upload that never ends gives its slot back on timeout", async () => {
  const app = fakeApp({ limits: { ...LIMITS, requests: 1, seconds: 0.05 } });
  let cancelled = false;
  const body = new ReadableStream({ cancel: () => void (cancelled = true) });
  await assertProblem(await ask(app, "/api/caption", post(body)), 503, /took more than/);
  await app.idle();
  assert.equal(cancelled, true);
  assert.equal((await ask(app, "/api/caption", post(picture()))).status, 200);
});

Deno.test("a request whose client is gone is not captioned", async () => {
  const waits = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let batch = 0;
  const { model, asked } = fakeModel({ until: () => waits[batch++]?.promise ?? Promise.resolve() });
  const app = fakeApp({ model });
  const first = ask(app, "/api/caption", post(picture(8)));
  while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const client = new AbortController();
  const gone = ask(app, "/api/caption", { ...post(picture(9)), signal: client.signal });
  await new Promise((resolve) => setTimeout(resolve, 20));
  client.abort();
  await gone;
  waits[0]?.resolve();
  waits[1]?.resolve();
  assert.equal((await first).status, 200);
  await app.idle();
  assert.deepEqual(asked.map(({ widths }) => widths), [[8]]);
});

Deno.test({
  name: "the page has examples, and the color scale of heat maps",
  ignore: !canRead,
  async fn() {
    const app = fakeApp();
    const html = await (await ask(app, "/")).text();
    const examples = [...html.matchAll(/"(\/examples\/[^"]+)"/g)].map(([, path = ""]) => path);
    assert.equal(examples.length, 4);
    for (const path of examples) {
      const answer = await ask(app, path);
      assert.equal(answer.headers.get("content-type"), "image/jpeg");
      assert.deepEqual([...(await answer.bytes()).subarray(0, 2)], [0xff, 0xd8]);
    }
    assert.equal((await ask(app, "/examples/README.md")).status, 404);
    const colors = await (await ask(app, "/heat-colors.json")).json();
    assert.deepEqual([colors.length, colors[0], colors[255]], [256, heatColor(0), heatColor(1)]);
  },
});

Deno.test("GET /api/search ranks the folder, /api/images/N returns a file, and both say if there is no folder", async () => {
  const search = {
    total: 2,
    done: 1,
    search: (_query: string, top: number) => {
      const found = [{ id: 1, name: "dog.png", caption: "a dog", logProbability: -2, probability: 0.5 }].slice(0, top);
      return Promise.resolve({ found, unknownWords: ["xyzzy"] });
    },
    pathOf: () => undefined,
  } as unknown as ImageSearch;
  const app = fakeApp({ search, folder: "/photos" });
  assert.deepEqual(await (await ask(app, "/api/search?query=dog")).json(), {
    unknownWords: ["xyzzy"],
    images: [{ id: 1, name: "dog.png", caption: "a dog", logProbability: -2, probability: 0.5, url: "/api/images/1" }],
  });
  assert.deepEqual((await (await ask(app, "/api/model")).json()).search, { done: 1, total: 2 });
  const notReady = { reason: "1 of 2 images are indexed; try again later", retryAfter: 2 };
  const indexing = fakeApp({ search: { ...search, notReady } as unknown as ImageSearch, folder: "/photos" });
  for (const path of ["/api/search?query=dog", "/api/images/0"]) {
    const early = await ask(indexing, path);
    assert.equal(early.headers.get("retry-after"), "2");
    await assertProblem(early, 503, /1 of 2 images are indexed/);
  }
  await assertProblem(await ask(app, "/api/search"), 400, /^Cannot read the query, query: /);
  await assertProblem(await ask(app, "/api/images/7"), 404, /no image 7/);
  await assertProblem(await ask(app, "/api/images/..%2f..%2fetc%2fpasswd"), 404, /There is no/);
  await assertProblem(await ask(fakeApp(), "/api/search?query=dog"), 404, /--images DIR$/);
  await assertProblem(await ask(fakeApp(), "/api/images/0"), 404, /--images DIR$/);
});

Deno.test("GET /api/run and /run show the current state of a run, and say if there is none", async () => {
  let epochs = 0;
  const run = {
    name: "first",
    read: () => Promise.resolve({ name: "first", settings: {}, epochs: Array(++epochs).fill({ epoch: 1 }) }),
    report: () => Promise.resolve("<!doctype html><title>Run first</title>"),
  };
  const app = fakeApp({ run });
  for (const count of [1, 2]) assert.equal((await (await ask(app, "/api/run")).json()).epochs.length, count);
  const report = await ask(app, "/run");
  assert.equal(await report.text(), "<!doctype html><title>Run first</title>");
  assert.equal(report.headers.get("content-security-policy"), "frame-ancestors 'self'");
  assert.equal((await (await ask(app, "/api/model")).json()).run, "first");
  await assertProblem(await ask(fakeApp(), "/api/run"), 404, /--run DIR$/);
});

Deno.test("a report is rendered once for simultaneous requests, and again for later ones", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let rendered = 0;
  const run = {
    name: "first",
    read: () => Promise.reject(new Error("not asked for")),
    report: () => promise.then(() => `report ${++rendered}`),
  };
  const app = fakeApp({ run });
  const answers = Array.from({ length: 3 }, () => ask(app, "/run"));
  resolve();
  for (const answer of await Promise.all(answers)) {
    assert.equal(answer.headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(await answer.text(), "report 1");
  }
  assert.equal(await (await ask(app, "/run")).text(), "report 2");
});

Deno.test("every request that costs needs room, and the others do not", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const search = { total: 1, done: 1, pathOf: () => "/photos/a.png" } as unknown as ImageSearch;
  const run = {
    name: "first",
    read: () => Promise.reject(new Error("not asked for")),
    report: () => promise.then(() => "report"),
  };
  const app = fakeApp({ run, search, folder: "/photos", limits: { ...LIMITS, requests: 1 } });
  const first = ask(app, "/run");
  for (const path of ["/run", "/api/run", "/api/images/0", "/api/search?query=dog"]) {
    await assertProblem(await ask(app, path), 429, /^1 requests are in progress/);
  }
  for (const path of ["/api/caption", "/api/explain"]) {
    await assertProblem(await ask(app, path, post(picture())), 429, /^1 requests are in progress/);
  }
  for (const path of ["/api/health", "/api/model", "/api/openapi.json", "/"]) {
    assert.equal((await ask(app, path)).status, 200, path);
  }
  resolve();
  assert.equal(await (await first).text(), "report");
});

Deno.test("a client that leaves frees its place at once, while its image is sent, decoded or waits for the model", async (t) => {
  const busy = Promise.withResolvers<void>();
  const { model } = fakeModel({ until: () => busy.promise });
  const never = Promise.withResolvers<never>().promise;
  const explain = () => never;
  const decoding: AppOptions["decoders"] = {
    decodeThen: (_file, _use, { signal } = {}) =>
      new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
  };
  const requests = async (app: App) => (await (await ask(app, "/api/health")).json()).requests;
  const leave = async (app: App, path: string, body: BodyInit = picture()) => {
    const before = await requests(app);
    const client = new AbortController();
    const gone = ask(app, path, { ...post(body), signal: client.signal });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(await requests(app), before + 1);
    client.abort();
    await gone;
    assert.equal(await requests(app), before);
  };
  await t.step("sent", () => leave(fakeApp(), "/api/caption", new ReadableStream()));
  await t.step("decoded", () => leave(fakeApp({ decoders: decoding }), "/api/caption"));
  await t.step("waits to be captioned", async () => {
    const app = fakeApp({ model });
    const first = ask(app, "/api/caption", post(picture()));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await leave(app, "/api/caption");
    busy.resolve();
    await first;
  });
  await t.step("waits to be explained", async () => {
    const app = fakeApp({ model: { ...fakeModel().model, explain } });
    void ask(app, "/api/explain", post(picture())).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    await leave(app, "/api/explain");
  });
});

Deno.test("requests of another website's pages are refused, those of the own page and of programs are not", async () => {
  const app = fakeApp();
  const send = (headers: HeadersInit, path = "/api/caption") => ask(app, path, post(picture(), headers));
  const elsewhere = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", "origin": "http://localhost:3000" },
    { "origin": "http://evil.example" },
    { "origin": "http://localhost:3000" },
    { "origin": "null" },
  ];
  for (const headers of elsewhere) {
    for (const path of ["/api/caption", "/api/explain"]) {
      await assertProblem(await send(headers, path), 403, /^This server does not answer to pages of other websites; /);
    }
  }
  const own = [
    {},
    { "sec-fetch-site": "same-origin", "origin": "https://proxied.example" },
    { "sec-fetch-site": "none" },
    { "origin": "http://localhost" },
  ];
  for (const headers of own) assert.equal((await send(headers)).status, 200, JSON.stringify(headers));
  assert.equal((await ask(app, "/", { headers: { "sec-fetch-site": "cross-site" } })).status, 200);
});

Deno.test("a server on all networks answers to its addresses and the allowed names, against DNS rebinding", async () => {
  const status = async (app: App, host: string) => (await app.fetch(new Request(`http://${host}/api/health`))).status;
  const everywhere = fakeApp({ hostnames: ["localhost", "captions.example"], addresses: true });
  for (const host of ["192.0.2.7:8000", "[2001:db8::1]", "localhost", "captions.example:80"]) {
    assert.equal(await status(everywhere, host), 200, host);
  }
  for (const host of ["evil.example", "192.0.2.7.evil.example", "sub.captions.example"]) {
    assert.equal(await status(everywhere, host), 403, host);
  }
  assert.equal(await status(fakeApp({ hostnames: ["localhost"] }), "192.0.2.7"), 403);
});

Deno.test("GET /api/model and /api/health describe the model and the server's state", async () => {
  const about = { name: "runs/first", epoch: 12, cider: 0.561, warning: undefined };
  const app = fakeApp({ about });
  await ask(app, "/api/caption", post(picture()));
  assert.deepEqual(await (await ask(app, "/api/model")).json(), {
    ...{ name: "runs/first", epoch: 12, cider: 0.561, warning: null },
    recipe: "lrcn",
    words: 5,
    imageSize: 224,
    beamSize: 3,
    lengthPenalty: 0,
    maxLength: 20,
    search: null,
    run: null,
    limits: { bytes: 1e6, requests: 100, seconds: 10 },
  });
  assert.deepEqual(await (await ask(app, "/api/health")).json(), { status: "ok", requests: 0, batches: 1 });
});

Deno.test("GET /api/openapi.json describes every path of the API, with its problems and parameters", async () => {
  const { openapi, paths, components } = await (await ask(fakeApp(), "/api/openapi.json")).json();
  assert.equal(openapi, "3.1.0");
  assert.deepEqual(Object.keys(paths), [
    "/api/caption",
    "/api/explain",
    "/api/search",
    "/api/images/{id}",
    "/api/run",
    "/api/model",
    "/api/health",
  ]);
  const { parameters, responses } = paths["/api/caption"].post;
  assert.deepEqual(Object.keys(responses), ["200", "400", "403", "413", "422", "429", "500", "503"]);
  const beam = parameters.find(({ name }: { name: string }) => name === "beamSize");
  assert.deepEqual([beam.in, beam.required, beam.schema], ["query", false, {
    type: "integer",
    minimum: 1,
    maximum: 20,
  }]);
  const query = paths["/api/search"].get.parameters.find(({ name }: { name: string }) => name === "query");
  assert.equal(query.required, true);
  for (const [, name] of JSON.stringify(paths).matchAll(/#\/components\/schemas\/(\w+)/g)) {
    assert(Object.hasOwn(components.schemas, name ?? ""), `${name}`);
  }
});

Deno.test("the page is served with a policy that lets a browser load from this server only", async () => {
  const app = fakeApp();
  const page = await ask(app, "/");
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /^default-src 'none'; script-src 'self'; style-src 'self'/,
  );
  const html = await page.text();
  assert.doesNotMatch(html, /\bstyle=|\bon\w+=|<script(?! type="module" src=)|https?:/);
  const named = [...html.matchAll(/(?:href|src)="(\/[^"]+)"/g)].map(([, path = ""]) => path);
  assert.deepEqual(named.filter((path) => !path.startsWith("/examples/")), ["/page.css", "/main.js"]);
  const seen = new Set<string>();
  const look = async (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const file = await ask(app, path);
    assert.equal(file.status, 200, path);
    for (const [, other = ""] of (await file.text()).matchAll(/from "\.(\/[^"]+)"/g)) await look(other);
  };
  for (const path of named) await look(path);
  assert(seen.size > 5, [...seen].join(" "));
});

Deno.test("other paths, methods and host names are problems", async () => {
  const app = fakeApp({ hostnames: ["localhost"] });
  await assertProblem(await ask(app, "/api/nothing"), 404, /described at \/api\/openapi\.json$/);
  await assertProblem(await ask(app, "/../deno.json"), 404, /There is no/);
  await assertProblem(await ask(app, "/api/nothing", { method: "POST" }), 404, /There is no \/api\/nothing/);
  await assertProblem(await ask(app, "/*"), 404, /There is no/);
  const cases = [["/api/caption", "GET", "POST"], ["/api/explain", "PUT", "POST"], ["/", "PUT", "GET, HEAD"]] as const;
  for (const [path, method, allow] of cases) {
    const answer = await ask(app, path, { method });
    assert.equal(answer.headers.get("allow"), allow);
    await assertProblem(answer, 405, new RegExp(`^${path} does not support ${method}; use ${allow}$`));
  }
  const other = await app.fetch(new Request("http://evil.example/"));
  assert.equal(other.headers.get("x-content-type-options"), "nosniff");
  await assertProblem(other, 403, /does not answer to 'evil\.example'; use localhost,/);
  const none = { url: "http://a b/", method: "GET", headers: new Headers() } as Request;
  await assertProblem(await app.fetch(none), 400, /^The Host header is not a valid host name$/);
  assert.equal((await ask(app, "/")).status, 200);
});
