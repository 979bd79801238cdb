import assert from "node:assert/strict";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { drawDataset, drawSquare, TINY } from "../support/draw_dataset.ts";
import { assertDone, runTask } from "../support/run_task.ts";
import { folderWithModel, serve } from "../slow/tasks/start_server.ts";
import { canBrowse, until, withPage } from "./with_page.ts";

const ignore = !canBrowse;

/** Drops files on the page. */
async function drop(page: Page, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const plain = Object.entries(files).map(([name, bytes]) => ({ name, bytes: [...bytes] }));
  const transfer = await page.evaluateHandle(`(() => {
    const transfer = new DataTransfer();
    for (const { name, bytes } of ${JSON.stringify(plain)}) {
      transfer.items.add(new File([Uint8Array.from(bytes)], name));
    }
    return transfer;
  })()`);
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
}

const explained = (page: Page) => page.waitForSelector("#words small");
const text = (page: Page, selector: string) => page.locator(selector).innerText();

/** A browser test with its own server. */
function browserTest(
  name: string,
  fn: (server: { readonly url: string; readonly folder: string }) => Promise<void>,
  args: readonly string[] = [],
): void {
  Deno.test({
    name,
    ignore,
    // The browser process leaves resources behind.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const images = { "photos/red.png": drawSquare("red", 1), "photos/blue.png": drawSquare("blue", 5) };
      await using folder = await folderWithModel(images);
      const server = await serve(folder.path, args);
      try {
        await fn({ url: server.url, folder: folder.path });
      } finally {
        server.press();
        await server.ended;
      }
    },
  });
}

browserTest("dropping an image shows its caption, others, and the probability of each word", async ({ url }) => {
  await withPage(url, async (page) => {
    await drop(page, { "red.png": drawSquare("red", 1) });
    await explained(page);
    const body = drawSquare("red", 1);
    const answer = await (await fetch(`${url}/api/caption?nBest=3`, { method: "POST", body })).json();
    assert.equal(await text(page, "#caption"), answer.text);
    assert.equal(await page.locator("#image img").getAttribute("alt"), answer.text);
    assert.equal(await text(page, "#said"), `Caption: ${answer.text}`);
    const words = (await page.locator("#words li").allInnerTexts()).map((word) => word.split("\n"));
    assert.deepEqual(words.map(([word]) => word), answer.tokens);
    for (const [, percent = ""] of words) assert.match(percent, /^\d[\d.]*%$/);
    assert.equal(await page.locator("#others li").count(), answer.alternatives.length);

    await page.locator("#others button").first().click();
    await page.getByRole("heading", { name: answer.alternatives[0].text }).waitFor();
    await explained(page);
  });
});

browserTest("pointing at a word shows its heat map, and leaving it hides the map", async ({ url }) => {
  await withPage(url, async (page) => {
    await drop(page, { "red.png": drawSquare("red", 1) });
    await explained(page);
    const frame = page.locator("#image");
    assert.doesNotMatch(await frame.getAttribute("class") ?? "", /warm/);
    const word = page.locator("#words button").nth(1);
    await word.hover();
    assert.match(await frame.getAttribute("class") ?? "", /warm/);
    const [map, picture] = await Promise.all(["canvas", "img"].map((tag) => frame.locator(tag).boundingBox()));
    assert(map !== null && map !== undefined && picture !== null && picture !== undefined);
    assert(Math.abs(map.width - map.height) < 1, "the model's crop is square");
    const center = ({ x, width }: { x: number; width: number }) => x + width / 2;
    assert(Math.abs(center(map) - center(picture)) < 1, "centered in the image");
    assert.match(await text(page, "#hint"), /: probability .*%, (hottest|no heat) in the /);
    await page.mouse.move(0, 0);
    assert.doesNotMatch(await frame.getAttribute("class") ?? "", /warm/);
  });
});

browserTest("a text file is refused with the reason, and an image dropped with it is captioned", async ({ url }) => {
  await withPage(url, async (page) => {
    await drop(page, { "notes.txt": new TextEncoder().encode("no image"), "red.png": drawSquare("red", 1) });
    await page.locator("#problem:not(:empty)").waitFor();
    assert.match(await text(page, "#problem"), /^notes\.txt: Cannot decode image: the file is text/);
    await explained(page);
    assert.equal(await page.locator("#strip li").count(), 1);
  });
});

browserTest(
  "an image that cannot be captioned now stays, and is captioned on a retry",
  async ({ url }) => {
    await withPage(url, async (page) => {
      let refusals = 2;
      const busy = { status: 503, json: { status: 503, detail: "The server is busy" } };
      await page.route("**/api/caption*", (route) => refusals-- > 0 ? route.fulfill(busy) : route.continue());
      await drop(page, { "red.png": drawSquare("red", 1), "blue.png": drawSquare("blue", 1) });
      await page.getByText(/^red\.png: The server is busy$|^blue\.png: The server is busy$/).waitFor();
      await page.getByRole("button", { name: "Try again" }).click();
      await explained(page);
      assert.equal(await text(page, "#problem"), "");
      assert.equal(await page.locator("#retry").isVisible(), false);
      await until(async () => await page.locator('#strip img[alt="Image without a caption yet"]').count() === 0);
      assert.equal(await page.locator("#strip li").count(), 2);
    });
  },
);

browserTest("a missing file is reported, and one that is too large is refused", async ({ url, folder }) => {
  await withPage(url, async (page) => {
    const path = join(folder, "photos", "red.png");
    await page.setInputFiles("#files", path);
    await explained(page);
    await Deno.remove(path);
    await page.locator('[name="beamSize"]').fill("2");
    await page.getByText(/^red\.png: It cannot be read; /).waitFor();
    const large = join(folder, "large.jpg");
    await Deno.writeFile(large, new Uint8Array());
    await Deno.truncate(large, 60e6);
    await page.setInputFiles("#files", large);
    await page.getByText(/^large\.jpg: The upload has more than 1000000 bytes/).waitFor();
  });
}, ["--max-upload", "1"]);

browserTest("images are removed one by one, and none is left", async ({ url }) => {
  await withPage(url, async (page) => {
    await drop(page, { "red.png": drawSquare("red", 1), "blue.png": drawSquare("blue", 1) });
    await explained(page);
    const button = page.getByRole("button", { name: "Remove this image" });
    await button.click();
    assert.equal(await page.locator("#strip li").count(), 1);
    await explained(page);
    await button.click();
    assert.equal(await page.locator("#stage").isVisible(), false);
    assert.equal(await page.locator("#settings").isVisible(), false);
    assert.equal(await page.evaluate(`document.activeElement.id`), "files");
  });
});

browserTest(
  "choosing another caption by keyboard focuses its words, and resets the hint",
  async ({ url }) => {
    await withPage(url, async (page) => {
      await drop(page, { "red.png": drawSquare("red", 1) });
      await explained(page);
      const hint = await text(page, "#hint");
      await page.locator("#words button").first().focus();
      assert.notEqual(await text(page, "#hint"), hint);
      await page.locator("#others button").first().focus();
      const { promise: explanation, resolve } = Promise.withResolvers<void>();
      await page.route("**/api/explain*", async (route) => {
        await explanation;
        await route.continue();
      });
      await page.keyboard.press("Enter");
      await page.waitForSelector("#words small", { state: "detached" });
      assert.equal(await text(page, "#hint"), hint);
      resolve();
      await explained(page);
      assert.equal(await page.evaluate(`document.activeElement === document.querySelector("#words button")`), true);
      assert.notEqual(await text(page, "#hint"), hint);
    });
  },
);

browserTest(
  "changed settings caption again: sampled with a temperature, with the model's defaults after a reset",
  async ({ url }) => {
    await withPage(url, async (page) => {
      await drop(page, { "red.png": drawSquare("red", 1) });
      await explained(page);
      const asked: string[] = [];
      page.on("request", (request) => void (request.url().includes("/api/caption") && asked.push(request.url())));
      await page.locator('[name="temperature"]').fill("1.5");
      await page.waitForSelector("#again:not([hidden])");
      await explained(page);
      assert.equal(await page.locator('[name="beamSize"]').isDisabled(), true);
      await page.locator("#again").click();
      await explained(page);
      await page.locator('button[type="reset"]').click();
      await page.waitForSelector("#again", { state: "hidden" });
      await explained(page);
      const queries = asked.map((address) => new URL(address).searchParams);
      assert.deepEqual(queries.map((query) => query.get("seed")), ["0", "1", null]);
      assert.deepEqual(queries.map((query) => query.get("temperature")), ["1.5", "1.5", null]);
      assert.deepEqual(queries.map((query) => query.get("beamSize")), [null, null, "3"]);
    });
  },
);

browserTest(
  "the keyboard suffices to choose an image, go through the words, and search",
  async ({ url, folder }) => {
    await withPage(url, async (page) => {
      const focused = () =>
        page.evaluate<string | null>(`document.activeElement.id || document.activeElement.getAttribute("aria-label")`);
      const tabTo = async (wanted: RegExp) => {
        for (let press = 0; press < 40; press++) {
          await page.keyboard.press("Tab");
          if (wanted.test(await focused() ?? "")) return;
        }
        assert.fail(`Tab never reached ${wanted}`);
      };
      // Before the keys: otherwise the browser would open a dialog of its own.
      const chooser = page.waitForEvent("filechooser");
      await tabTo(/^files$/);
      await page.keyboard.press("Enter");
      await (await chooser).setFiles(join(folder, "photos", "red.png"));
      await explained(page);
      await tabTo(/, \d[\d.]*%, (hottest|no heat) /);
      assert.match(await page.locator("#image").getAttribute("class") ?? "", /warm/);
      await page.waitForSelector('nav a[href="#search"]:not([hidden])');
      await page.locator('nav a[href="#search"]').focus();
      await page.keyboard.press("Enter");
      await page.getByText(/^2 images$/).waitFor(); // all are indexed
      await tabTo(/^query$/);
      await page.keyboard.type("a red square");
      await page.keyboard.press("Enter");
      await page.waitForSelector("#results img");
      const alts = await page.locator("#results img").evaluateAll((images) =>
        images.map((image) => image.getAttribute("alt"))
      );
      assert.equal(alts.length, 2);
      for (const alt of alts) assert.notEqual(alt, "");
    });
  },
  ["--images", "photos"],
);

browserTest("a search result is captioned on a click", async ({ url }) => {
  await withPage(url, async (page) => {
    await page.locator('nav a[href="#search"]').click();
    await page.getByText(/^2 images$/).waitFor();
    await page.fill("#query", "blue");
    await page.keyboard.press("Enter");
    const [alt] = await Promise.all([
      page.locator("#results img").first().getAttribute("alt"),
      page.locator("#results button").first().click(),
    ]);
    await explained(page);
    assert.equal(await text(page, "#caption"), alt);
  });
}, ["--images", "photos"]);

browserTest("a photo from the camera is captioned", async ({ url }) => {
  await withPage(url, async (page) => {
    await page.locator("#camera").click();
    await until(() => page.evaluate<boolean>(`document.querySelector("video").videoWidth > 0`));
    await page.locator("#shoot").click();
    await explained(page);
    assert.equal(await page.locator("#viewfinder").isVisible(), false);
  });
});

browserTest("the page fits a phone, in light and dark mode", async ({ url }) => {
  await withPage(url, async (page) => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await drop(page, { "red.png": drawSquare("red", 1), "blue.png": drawSquare("blue", 1) });
      await explained(page);
      assert.equal(await page.evaluate(`document.documentElement.scrollWidth`), 360);
    }
  });
});

Deno.test({
  name: "a training run's report is shown, and reloaded after an epoch",
  ignore,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using folder = await drawDataset();
    assertDone(await runTask("train", [...TINY, "--data", "drawn", "--out", "run"], { folder: folder.path }));
    const server = await serve(folder.path, ["--checkpoint", "run/best.safetensors", "--run", "run"]);
    try {
      await withPage(server.url, async (page) => {
        await page.locator('nav a[href="#run"]').click();
        const report = page.frameLocator("#run iframe");
        await report.locator("canvas").first().waitFor();
        await report.locator("figure img").first().waitFor();
        assert.match(await text(page, "#epoch"), /^run: epoch 1, training loss \d/);
        const metrics = join(folder.path, "run", "metrics.jsonl");
        const line = await Deno.readTextFile(metrics);
        await Deno.writeTextFile(metrics, line + line.replace('"epoch":1', '"epoch":2'));
        await page.getByText(/epoch 2,/).waitFor();
      });
    } finally {
      server.press();
      await server.ended;
    }
  },
});
