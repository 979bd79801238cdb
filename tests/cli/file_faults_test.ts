import assert from "node:assert/strict";
import { join } from "node:path";
import { writeHeatMaps } from "../../src/cli/explain_image.ts";
import { reportOf } from "../../src/cli/score_report.ts";
import { faultTest } from "../support/fault_campaign.ts";

const EXPLANATION = {
  rows: 1,
  columns: 1,
  seen: { width: 2, height: 2, pixels: new Uint8Array(12) },
  words: ["a", "dog"].map((word) => ({ word, probability: 0.5, strength: 1, heat: Float32Array.of(1) })),
};

/** Of several files, those that are written are whole: the same as if nothing had failed. */
function wholeFiles(after: Record<string, string>, done: Record<string, string>): void {
  for (const [name, digest] of Object.entries(after)) assert.equal(digest, done[name], name);
}

faultTest("writeHeatMaps() writes whole images only, whichever file operation fails", {
  before: () => Promise.resolve(),
  run: (folder) => writeHeatMaps(EXPLANATION, join(folder, "dog")),
  allows: wholeFiles,
  operations: 40,
});

faultTest("reportOf() writes whole files only, whichever file operation fails", {
  before: () => Promise.resolve(),
  run: (folder) =>
    reportOf({ captions: [{ image: "a.jpg", caption: "a dog", references: ["a dog runs"] }] }, {
      out: join(folder, "scores"),
      meteorJar: undefined,
      perImage: false,
    }),
  allows: wholeFiles,
  operations: 60,
});
