import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { canServe } from "../slow/tasks/start_server.ts";
import { findChromium } from "./chromium.ts";

const chromium = canServe ? await findChromium() : undefined;
/** Whether tests may start servers and Chromium. */
export const canBrowse: boolean = chromium !== undefined;
/** Timeout of each step. */
const PATIENCE_MS = 15_000;

/** Opens a server's page, uses it, and fails if the browser logged an error or contacted another host. */
export async function withPage(url: string, use: (page: Page) => Promise<void>): Promise<void> {
  // Imported lazily: it inspects the system on import.
  const playwright = await import("playwright-core");
  const browser: Browser = await playwright.chromium.launch({
    executablePath: chromium ?? "",
    args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const complaints: string[] = [];
    page.on("console", (message) => {
      // Chromium logs every answer with an error status.
      if (/error|warning/.test(message.type()) && !/with a status of (409|413|422|503)/.test(message.text())) {
        complaints.push(message.text());
      }
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url())) complaints.push(request.url());
    });
    await page.goto(url);
    await use(page);
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
  }
}

/** Waits until a condition holds. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!await holds()) {
    assert(performance.now() < end, `${holds} never became true`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
