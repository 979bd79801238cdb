import assert from "node:assert/strict";
import { createLabelApp } from "../../../src/server/label/label_app.ts";
import { type Label, type LabelChange, type Labels, LabelsFile } from "../../../src/server/label/labels_file.ts";
import type { Proposals } from "../../../src/server/label/proposals.ts";
import { ImageError } from "../../../src/images/image_error.ts";
import { InputError } from "../../../src/input_error.ts";
import { ask, LIMITS } from "../../support/fake_model.ts";

/** Labels in memory, which change as those of a file do. */
class FakeLabels extends LabelsFile {
  readonly all = new Map<string, Label>();
  problem: string | undefined;

  constructor() {
    super("", () => Promise.resolve());
  }

  override read(): Promise<Labels> {
    if (this.problem !== undefined) return Promise.reject(new InputError(this.problem));
    return Promise.resolve(new Map(this.all));
  }

  override change({ image, label, before }: LabelChange) {
    const now = this.all.get(image) ?? null;
    if ((now?.caption ?? null) !== before) return Promise.resolve({ changed: false, label: now });
    if (label === null) this.all.delete(image);
    else this.all.set(image, label);
    return Promise.resolve({ changed: true, label });
  }
}

function labelApp() {
  const labels = new FakeLabels();
  const names = ["a.jpg", "bad.jpg"];
  const proposals = {
    count: 1,
    pathOf: (name: string) => names.includes(name) ? `/photos/${name}` : undefined,
    probabilityOf: (name: string) => name === "a.jpg" ? 0.5 : null,
    problemOf: (name: string) => name === "bad.jpg" ? "the file is text" : null,
    of(name: string) {
      if (name === "bad.jpg") throw new ImageError("the file is text", "/photos/bad.jpg");
      return Promise.resolve([{ caption: "a dog", probability: 0.5 }]);
    },
  } as unknown as Proposals;
  const app = createLabelApp({
    about: { name: "a model", epoch: 3, cider: 0.5, warning: undefined },
    command: "deno task train --data labels.csv",
    names,
    proposals,
    labels,
    folder: "/photos",
    limits: LIMITS,
    hostnames: ["localhost"],
  });
  const post = (change: unknown, headers: HeadersInit = {}) =>
    ask(app, "/api/labels", { method: "POST", headers, body: JSON.stringify(change) });
  return { app, labels, post };
}

const typed = (caption: string): Label => ({ caption, source: "typed" });

Deno.test("GET /api/labels lists the images in the folder's order, with their labels, and the command to train", async () => {
  const { app, labels } = labelApp();
  labels.all.set("a.jpg", typed("A dog."));
  const { model, command, proposed, images } = await (await ask(app, "/api/labels")).json();
  assert.deepEqual(model, { name: "a model", epoch: 3, cider: 0.5, warning: null });
  assert.deepEqual([command, proposed], ["deno task train --data labels.csv", 1]);
  assert.deepEqual(images, [
    { name: "a.jpg", caption: "A dog.", source: "typed", probability: 0.5, problem: null },
    { name: "bad.jpg", caption: null, source: "", probability: null, problem: "the file is text" },
  ]);
  labels.problem = "Cannot label into labels.csv: line 3";
  assert.equal((await ask(app, "/api/labels")).status, 503);
});

Deno.test("POST /api/labels labels an image, and refuses to replace a label that was not seen", async () => {
  const { labels, post } = labelApp();
  const answer = await post({ image: "a.jpg", label: typed("A dog."), before: null });
  assert.deepEqual(await answer.json(), {
    name: "a.jpg",
    caption: "A dog.",
    source: "typed",
    probability: 0.5,
    problem: null,
  });
  const stale = await post({ image: "a.jpg", label: typed("A cat."), before: null });
  assert.equal(stale.status, 409);
  assert.match((await stale.json()).detail, /captioned it “A dog\.”/);
  assert.equal((await post({ image: "a.jpg", label: null, before: "A dog." })).status, 200);
  assert.equal(labels.all.size, 0);
});

Deno.test("POST /api/labels refuses what is no label", async () => {
  const { labels, post, app } = labelApp();
  const label = typed("A dog.");
  const cases: readonly (readonly [unknown, number, RegExp])[] = [
    [{ image: "c.jpg", label, before: null }, 404, /had no image c\.jpg/],
    [{ image: "../../etc/passwd", label, before: null }, 404, /had no image/],
    [{ image: "a.jpg", label: typed(" \n "), before: null }, 400, /is empty/],
    [{ image: "a.jpg", label: { ...label, source: "guessed" }, before: null }, 400, /label\.source/],
    [{ image: "a.jpg", label }, 400, /before/],
    [{ image: "a.jpg", label, before: null, path: "/etc" }, 400, /path/],
    [{ image: "a.jpg", label: typed("x".repeat(2001)), before: null }, 400, /label\.caption/],
    [{ image: "a.jpg", label: typed("x".repeat(70_000)), before: null }, 413, /more than 65536 bytes/],
  ];
  for (const [change, status, pattern] of cases) {
    const answer = await post(change);
    assert.equal(answer.status, status, JSON.stringify(change).slice(0, 100));
    assert.match((await answer.json()).detail, pattern);
  }
  assert.equal((await ask(app, "/api/labels", { method: "POST", body: "{" })).status, 400);
  assert.equal(labels.all.size, 0);
});

Deno.test("the app answers neither other hosts nor pages of other websites, and only to its own paths", async () => {
  const { app, labels, post } = labelApp();
  const change = { image: "a.jpg", label: typed("A dog."), before: null };
  assert.equal((await post(change, { "sec-fetch-site": "cross-site" })).status, 403);
  assert.equal((await post(change, { origin: "http://other.example" })).status, 403);
  assert.equal((await app.fetch(new Request("http://other.example/api/labels"))).status, 403);
  assert.equal(labels.all.size, 0);
  const missing = await ask(app, "/api/caption");
  assert.deepEqual([missing.status, (await missing.json()).detail], [404, "There is no /api/caption"]);
  const wrong = await ask(app, "/api/labels", { method: "DELETE" });
  assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "GET, HEAD, POST"]);
});

Deno.test("GET /api/proposals proposes captions, or says why there are none, without the image's path", async () => {
  const { app } = labelApp();
  const answer = await ask(app, "/api/proposals?name=a.jpg");
  assert.deepEqual(await answer.json(), { proposals: [{ caption: "a dog", probability: 0.5 }] });
  const bad = await ask(app, "/api/proposals?name=bad.jpg");
  assert.deepEqual([bad.status, (await bad.json()).detail], [422, "The image cannot be captioned: the file is text"]);
  assert.equal((await ask(app, "/api/proposals?name=c.jpg")).status, 404);
  assert.equal((await ask(app, "/api/image?name=..%2Fa.jpg")).status, 404);
});

Deno.test("the page loads only its own files", async () => {
  const { app } = labelApp();
  const html = await (await ask(app, "/")).text();
  const files = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = ""]) => path);
  assert.deepEqual(files, ["/page.css", "/label.css", "/label.js"]);
  for (const path of [...files, "/api.js"]) assert.equal((await ask(app, path)).status, 200, path);
});
