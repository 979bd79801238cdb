import assert from "node:assert/strict";
import { reportPage } from "../../src/report/report_page.ts";
import type { ReportedEpoch, ReportedRun } from "../../src/report/reported_run.ts";

const EPOCH: ReportedEpoch = {
  epoch: 1,
  trainLoss: 3,
  validationLoss: 2.5,
  cider: 0.4,
  bleu4: 0.1,
  learningRate: 1e-3,
  encoderLearningRate: 0,
  seconds: 60,
  validationSeconds: 5,
  mismatchedImageLossGap: 0.5,
  distinctFraction: 0.4,
};
const ITEM = {
  name: "a.jpg",
  image: "data:image/png;base64,AAAA",
  references: ["A kite ."],
  caption: "a kite",
  cider: 1,
  best: [{ caption: "a kite", probability: 0.5 }],
};

const NOTES = {
  started: "2026-03-05T07:08:09.000Z",
  lines: [{ line: "Data: 3 images", warning: false, epochs: 0 }],
  steps: [{ step: 2, loss: 3 }],
};

function run(changes: Partial<ReportedRun> = {}): ReportedRun {
  return { name: "first", settings: { epochs: "3" }, epochs: [EPOCH], ...NOTES, gallery: [ITEM], ...changes };
}

/** The JSON that the page's script reads. */
function dataOf(page: string): unknown {
  return JSON.parse(/<script type="application\/json" id="data">([^<]*)<\/script>/.exec(page)?.[1] ?? "");
}

Deno.test("reportPage() holds all of the runs as data", async () => {
  const runs = [run(), run({ name: "second", gallery: [] })];
  assert.deepEqual(dataOf(await reportPage(runs)), runs);
});

Deno.test("reportPage() escapes captions, names and settings", async () => {
  const evil = `</script><script>alert("x")</script><img src=x onerror=alert(1)>`;
  const hostile = run({
    name: evil,
    settings: { [evil]: evil },
    lines: [{ line: evil, warning: true, epochs: 1 }],
    gallery: [{ ...ITEM, name: evil, caption: evil, references: [evil], best: [{ caption: evil, probability: 1 }] }],
  });
  const page = await reportPage([hostile]);
  assert.deepEqual(dataOf(page), [hostile]);
  const [plain, other] = [await reportPage([run()]), page].map((text) => text.match(/<script|<img|onerror/g)?.length);
  // Every < in the data is escaped, so that no element opens.
  assert.equal(page.match(/<script/g)?.length, (await reportPage([run()])).match(/<script/g)?.length);
  assert.equal(page.includes("<img src=x"), false);
  assert(plain !== undefined && other !== undefined);
});

Deno.test("reportPage() loads no other file or host, and its policy says so", async () => {
  const page = await reportPage([run()]);
  assert.deepEqual(page.match(/<(link|iframe|object|embed)\b|\ssrc="|\shref="|@import|url\(/g), null);
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? "";
  assert.match(
    policy,
    /^default-src 'none'; img-src data:; script-src 'sha256-[^']+' 'sha256-[^']+'; style-src 'sha256-/,
  );
  assert.doesNotMatch(policy, /unsafe|http/);
});

Deno.test("reportPage() allows the scripts and styles that it holds by their digests", async () => {
  const page = await reportPage([run()]);
  const inline = [...page.matchAll(/<(script|style)>([^]*?)<\/\1>/g)].map(([, , text = ""]) => text);
  assert.equal(inline.length, 4);
  for (const text of inline) {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    assert(page.includes(`'sha256-${new Uint8Array(digest).toBase64()}'`));
  }
});

Deno.test("reportPage() is small without its images", async () => {
  const page = await reportPage([run()]);
  assert(page.length < 100_000, `${page.length} characters`);
});
