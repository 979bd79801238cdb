import assert from "node:assert/strict";
import { join } from "node:path";
import { reportPage } from "../../src/report/report_page.ts";
import type { ReportedRun } from "../../src/report/reported_run.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { findChromium } from "./chromium.ts";

const chromium = await findChromium();

const RUN: ReportedRun = {
  name: "first",
  settings: { epochs: "3", encoder: "resnet18" },
  started: "2026-03-05T07:08:09.000Z",
  lines: [
    { line: "Data: 300 images, 900 captions", warning: false, epochs: 0 },
    { line: "Warning: the model ignores its images", warning: true, epochs: 2 },
  ],
  epochs: [1, 2].map((epoch) => ({
    ...{ epoch, trainLoss: 3, validationLoss: 2.5, cider: 0.4, bleu4: 6.4e-14, learningRate: 1e-3 },
    ...{ encoderLearningRate: 0, seconds: 20, validationSeconds: 5 },
    ...{ mismatchedImageLossGap: 0.51, distinctFraction: 0.4 },
  })),
  steps: [{ step: 10, loss: 3 }, { step: 20, loss: 2 }],
  gallery: [{
    name: "a.jpg",
    image:
      "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC",
    references: ["A kite .", "A red kite ."],
    caption: "a kite",
    cider: 1,
    best: [{ caption: "a kite", probability: 0.5 }],
  }],
};

Deno.test({
  name: "a report says what the run is, shows diagnoses and a reference, folds settings, and fits a phone",
  ignore: chromium === undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const { chromium: browserType } = await import("playwright-core");
    await using folder = await makeFolder({ "report.html": await reportPage([RUN]) });
    const browser = await browserType.launch({ executablePath: chromium ?? "", args: ["--no-sandbox"] });
    try {
      for (const width of [1280, 390]) {
        const page = await browser.newPage({ viewport: { width, height: 800 } });
        const errors: string[] = [];
        page.on("pageerror", ({ message }) => errors.push(message));
        await page.goto(`file://${join(folder.path, "report.html")}`);
        await page.locator("canvas").first().waitFor();
        assert.deepEqual(errors, []);
        const head = await page.locator("header").innerText();
        assert.match(head, /2 epochs, started .*2026/);
        assert.match(head, /Data: 300 images, 900 captions/);
        assert.match(head, /After epoch 2: Warning: the model ignores its images/);
        const scores = await page.locator("#scores").innerText();
        for (const text of ["image gap", "0.51", "distinct captions", "40%", "steps", "20", "40 s"]) {
          // Labels of a phone are of CSS.
          if (width > 400 || /\d/.test(text)) assert(scores.includes(text), `${text} in ${scores}`);
        }
        assert(await page.getByText("Reference: A kite .").isVisible());
        assert(await page.getByText("resnet18").isHidden());
        await page.getByText("2 settings").click();
        assert(await page.getByText("resnet18").isVisible());
        assert.equal(await page.evaluate("document.documentElement.scrollWidth"), width);
        await page.close();
      }
    } finally {
      await browser.close();
    }
  },
});
