import assert from "node:assert/strict";
import { unzipSync } from "fflate";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { parseKaggleCaptions } from "../../src/data/formats/kaggle_captions.ts";
import { heatColor } from "../../src/explanation/heat_color.ts";
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

/** Waits until the words of the image that is shown have their probabilities. */
const explained = (page: Page) => page.waitForSelector("#words:not([aria-busy]) button[aria-label]");
const text = (page: Page, selector: string) => page.locator(selector).innerText();

/** A browser test with its own server. `more` are the places of squares in further images of the folder. */
function browserTest(
  name: string,
  fn: (server: { readonly url: string; readonly folder: string }) => Promise<void>,
  args: readonly string[] = [],
  more: readonly number[] = [],
): void {
  Deno.test({
    name,
    ignore,
    // The browser process leaves resources behind.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const images = { "photos/red.png": drawSquare("red", 1), "photos/blue.png": drawSquare("blue", 5) };
      const others = more.map((place) => [`photos/${place}.png`, drawSquare("green", place)]);
      await using folder = await folderWithModel({ ...images, ...Object.fromEntries(others) });
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
    const captions = [answer, ...answer.alternatives].map(({ text }) => text);
    assert.deepEqual(await page.locator("#others span").allInnerTexts(), captions);
    const pressed = () => page.locator('#others [aria-pressed="true"] span').allInnerTexts();
    assert.deepEqual(await pressed(), [answer.text]);

    await page.locator("#others button").nth(1).click();
    await page.getByRole("heading", { name: answer.alternatives[0].text }).waitFor();
    await explained(page);
    assert.deepEqual(await pressed(), [answer.alternatives[0].text]); // the list stays as it is
    assert.deepEqual(await page.locator("#others span").allInnerTexts(), captions);
  });
});

/** Answers explanations with maps of 2 x 2, hot in the bottom right; the model of these tests has one cell. */
async function withMaps(page: Page): Promise<void> {
  await page.route("**/api/explain*", async (route) => {
    const answer = await (await route.fetch()).json();
    const words = answer.words.map((word: object, index: number) => (
      { ...word, strength: index === 0 ? 1 : 0.1, heat: [0, 0.5, 0.5, 1] }
    ));
    await route.fulfill({ json: { ...answer, rows: 2, columns: 2, words } });
  });
}

/** The red, green, blue and opacity of a heat map at a place, 0 to 1, of its sides. */
async function colorAt(page: Page, x: number, y: number): Promise<number[]> {
  return await page.evaluate(`(() => {
    const map = document.querySelector("#image canvas");
    // Of a copy, since reading one canvas again and again makes the browser warn.
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const context = canvas.getContext("2d");
    context.drawImage(map, Math.floor(${x} * map.width), Math.floor(${y} * map.height), 1, 1, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  })()`);
}

browserTest("pointing at a word shows its heat map, and leaving it hides the map", async ({ url }) => {
  await withPage(url, async (page) => {
    await withMaps(page);
    await drop(page, { "red.png": drawSquare("red", 1) });
    await explained(page);
    const frame = page.locator("#image");
    assert.doesNotMatch(await frame.getAttribute("class") ?? "", /warm/);
    assert.equal(await page.locator("#legend").isVisible(), false);
    const word = page.locator("#words button").nth(1);
    await word.hover();
    assert.match(await frame.getAttribute("class") ?? "", /warm/);
    assert.equal(await page.locator("#legend").isVisible(), true);
    const [map, picture] = await Promise.all(["canvas", "img"].map((tag) => frame.locator(tag).boundingBox()));
    assert(map !== null && map !== undefined && picture !== null && picture !== undefined);
    assert(Math.abs(map.width - map.height) < 1, "the model's crop is square");
    const center = ({ x, width }: { x: number; width: number }) => x + width / 2;
    assert(Math.abs(center(map) - center(picture)) < 1, "centered in the image");
    assert.match(
      await text(page, "#hint"),
      /: probability .*%, hottest in the bottom right of the image, strength 0\.10\.$/,
    );
    await page.mouse.move(0, 0);
    assert.doesNotMatch(await frame.getAttribute("class") ?? "", /warm/);
  });
});

browserTest(
  "a heat map has the colors of deno task explain, interpolated values, and an opacity that fades with the strength",
  async ({ url }) => {
    await withPage(url, async (page) => {
      await withMaps(page);
      await drop(page, { "red.png": drawSquare("red", 1) });
      await explained(page);
      await page.locator("#words button").nth(0).focus();
      const near = (color: readonly number[], value: number) => {
        const expected = [...heatColor(value), 255 * 0.6 * value];
        const differences = color.map((part, index) => Math.abs(part - (expected[index] ?? NaN)));
        assert(Math.max(...differences) <= 3, `${color} is not the color of ${value}, ${expected}`);
      };
      near(await colorAt(page, 0.99, 0.99), 1);
      near(await colorAt(page, 0.5, 0.5), 0.5 + 0.5 / 64); // the center of a point
      assert.equal((await colorAt(page, 0.01, 0.01))[3], 0); // only the image
      await page.locator("#words button").nth(1).focus();
      const [, , , opacity = 0] = await colorAt(page, 0.99, 0.99);
      assert(Math.abs(opacity - 255 * 0.6 * 0.1) <= 2, `${opacity}`);
    });
  },
);

browserTest("a model that sees the image as one cell has no heat maps, and the page says so", async ({ url }) => {
  await withPage(url, async (page) => {
    await drop(page, { "red.png": drawSquare("red", 1) });
    await explained(page);
    assert.match(await text(page, "#hint"), /sees the image as a whole/);
    await page.locator("#words button").nth(1).hover();
    assert.doesNotMatch(await page.locator("#image").getAttribute("class") ?? "", /warm/);
    assert.match(await text(page, "#hint"), /: probability [\d.]+%\.$/);
  });
});

browserTest("a text file is refused with the reason, and an image dropped with it is captioned", async ({ url }) => {
  await withPage(url, async (page) => {
    await drop(page, { "notes.txt": new TextEncoder().encode("no image"), "red.png": drawSquare("red", 1) });
    await page.locator("#problem:not(:empty)").waitFor();
    assert.match(await text(page, "#problem"), /^notes\.txt: Cannot decode image: the file is text/);
    await until(async () => await page.locator("#list > li").count() === 1);
    await page.locator("#list .open").click();
    await explained(page);
    await drop(page, { "more.txt": new TextEncoder().encode("no image") });
    await page.getByText(/^more\.txt: Cannot decode image/).waitFor();
    assert.equal(await page.locator("#list").isVisible(), true); // rather than another image
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
      await page.getByText(/^2 images$/).waitFor();
      assert.equal(await text(page, "#problem"), "");
      assert.equal(await page.locator("#retry").isVisible(), false);
      assert.equal(await page.locator("#list .busy").count(), 0);
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
    await page.locator("#list .open").first().click();
    await explained(page);
    const button = page.getByRole("button", { name: "Remove this image" });
    await button.click();
    assert.equal(await page.locator("#list > li").count(), 1);
    await explained(page);
    await button.click();
    for (const id of ["stage", "settings", "tools"]) assert.equal(await page.locator(`#${id}`).isVisible(), false, id);
    assert.equal(await page.locator("#examples").isVisible(), true);
    assert.equal(await page.evaluate(`document.activeElement.id`), "files");
  });
});

/** The name and the caption of each image of the list. */
async function rows(page: Page): Promise<[string, string][]> {
  await until(async () => await page.locator("#list .busy").count() === 0);
  const [names, captions] = await Promise.all(
    [".name", ".caption"].map((part) => page.locator(`#list ${part}`).allInnerTexts()),
  );
  return (names ?? []).map((name, index) => [name, captions?.[index] ?? ""]);
}

browserTest(
  "several images are a list with names and captions, others on demand, and each is shown alone",
  async ({ url }) => {
    await withPage(url, async (page) => {
      const squares = { "red.png": drawSquare("red", 1), "blue.png": drawSquare("blue", 5) };
      await drop(page, squares);
      const answers = await Promise.all(
        Object.values(squares).map(async (body) =>
          await (await fetch(`${url}/api/caption?nBest=3`, { method: "POST", body })).json()
        ),
      );
      assert.deepEqual(await rows(page), [["red.png", answers[0].text], ["blue.png", answers[1].text]]);
      assert.equal(await page.locator("#stage").isVisible(), false);
      await page.locator("#list summary").first().click();
      assert.deepEqual(
        await page.locator("#list li").first().locator("ol li").allInnerTexts(),
        answers[0].alternatives.map(({ text }: { text: string }) => text),
      );
      await page.getByRole("button", { name: "Show blue.png alone" }).click();
      await explained(page);
      assert.equal(await text(page, "#caption"), answers[1].text);
      assert.equal(await page.locator("#list").isVisible(), false);
      await page.getByRole("button", { name: "All images" }).click();
      assert.equal(await page.locator("#list").isVisible(), true);
      assert.equal(await page.evaluate(`document.activeElement.getAttribute("aria-label")`), "Show blue.png alone");
      await drop(page, { "red.png": drawSquare("red", 3) });
      await page.getByRole("button", { name: "All images" }).click();
      assert.deepEqual((await rows(page)).map(([name]) => name), ["red.png", "blue.png", "red (2).png"]);
    });
  },
);

browserTest("captions are copied, and downloaded as CSV, JSON Lines and a text for each image", async ({ url }) => {
  await withPage(url, async (page) => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const names = ["a, b.png", "c.png", "c.jpg"];
    await drop(page, Object.fromEntries(names.map((name, index) => [name, drawSquare("red", 2 * index)])));
    const captions = (await rows(page)).map(([, caption]) => caption);
    await page.getByRole("button", { name: "Copy" }).first().click();
    await page.getByText("Copied").waitFor();
    assert.equal(await page.evaluate(`navigator.clipboard.readText()`), captions[0]);
    const download = async (label: string) => {
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: label }).click(),
      ]);
      return { name: file.suggestedFilename(), bytes: await Deno.readFile(await file.path()) };
    };
    const csv = await download("CSV");
    const source = parseKaggleCaptions(new TextDecoder().decode(csv.bytes), csv.name);
    assert.deepEqual(source.rows, names.map((image, index) => ({ image, caption: captions[index] })));
    assert.deepEqual([csv.name, source.rejected], ["captions.csv", []]);
    const jsonl = await download("JSONL");
    const lines = new TextDecoder().decode(jsonl.bytes).trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ image, text }) => [image, text]),
      names.map((name, index) => [name, captions[index]]),
    );
    assert(lines.every(({ alternatives }) => alternatives.length === 2));
    const zip = await download("Texts");
    const texts = Object.entries(unzipSync(zip.bytes)).map(([name, text]) => [name, new TextDecoder().decode(text)]);
    assert.deepEqual(texts, [
      ["a, b.txt", `${captions[0]}\n`],
      ["c.png.txt", `${captions[1]}\n`],
      ["c.jpg.txt", `${captions[2]}\n`],
    ]);
  });
});

browserTest("images survive a reload, until they are removed", async ({ url }) => {
  await withPage(url, async (page) => {
    await drop(page, {
      "red.png": drawSquare("red", 1),
      "blue.png": drawSquare("blue", 5),
      "x.png": drawSquare("red", 9),
    });
    await page.getByText(/^3 images$/).waitFor();
    const before = await rows(page);
    await until(async () => await storedImages(page) === 3);
    await page.locator("#list").getByRole("button", { name: "Remove" }).nth(2).click();
    await until(async () => await storedImages(page) === 2);
    await page.reload();
    await page.getByText(/^2 images$/).waitFor();
    assert.deepEqual(await rows(page), before.slice(0, 2));
    await page.getByRole("button", { name: "Remove all" }).click();
    assert.equal(await page.locator("#list > li").count(), 0);
    await until(async () => await storedImages(page) === 0);
    await page.reload();
    await page.locator("#model:not(:empty)").waitFor();
    await page.locator("#examples").waitFor();
    assert.equal(await page.locator("#list > li").count(), 0);
  });
});

/** The number of images that the browser keeps. */
async function storedImages(page: Page): Promise<number> {
  return await page.evaluate(`new Promise((resolve) => {
    const opening = indexedDB.open("lrcn");
    opening.onsuccess = () => {
      const counting = opening.result.transaction("images").objectStore("images").count();
      counting.onsuccess = () => resolve(counting.result);
    };
  })`);
}

browserTest("at most 200 images are kept over a reload, and the page says how many are not", async ({ url }) => {
  await withPage(url, async (page) => {
    await page.route(
      "**/api/caption*",
      (route) => route.fulfill({ json: { caption: "a", logProbability: -1, tokens: [] } }),
    );
    const names = Array.from({ length: 201 }, (_, index) => `${index}.png`);
    await drop(page, Object.fromEntries(names.map((name) => [name, drawSquare("red", 1)])));
    await page.getByText(/^201 images, 1 not kept over a reload$/).waitFor();
    await page.locator("#list").getByRole("button", { name: "Remove" }).first().click();
    await page.getByText(/^200 images, 1 not kept over a reload$/).waitFor();
    await drop(page, { "more.png": drawSquare("red", 2) }); // there is room for one again
    await until(async () => await storedImages(page) === 200);
    await page.reload();
    await page.getByText(/^200 images$/).waitFor();
    assert.deepEqual((await rows(page)).map(([name]) => name), [...names.slice(1, 200), "more.png"]);
  });
});

browserTest("a browser that keeps nothing captions all the same, and the page says so", async ({ url }) => {
  await withPage(url, async (page) => {
    await page.addInitScript(`indexedDB.open = () => { throw new DOMException("", "SecurityError"); }`);
    await page.reload();
    await drop(page, { "red.png": drawSquare("red", 1), "blue.png": drawSquare("blue", 1) });
    await page.getByText(/^2 images, not kept over a reload$/).waitFor();
  });
});

browserTest("an empty page says what it is, and has photos to try", async ({ url }) => {
  await withPage(url, async (page) => {
    assert.match(await text(page, "#intro"), /writes a sentence about each photo/);
    await page.locator("#model", { hasText: /best\.safetensors, epoch 8$/ }).waitFor();
    await until(() =>
      page.evaluate<boolean>(`[...document.querySelectorAll("#examples img")].every((image) => image.naturalWidth > 0)`)
    );
    await page.getByRole("button", { name: "A cat" }).click();
    await explained(page);
    assert.equal(await text(page, "#name"), "chelsea.jpg");
    assert.equal(await page.locator("#examples").isVisible(), false);
    assert.equal(await page.evaluate(`scrollY`), 0); // the header stays in view
  });
});

browserTest("work on the heat maps shows, and nothing moves when they arrive", async ({ url }) => {
  await withPage(url, async (page) => {
    const { promise: wanted, resolve } = Promise.withResolvers<void>();
    await page.route("**/api/explain*", async (route) => {
      await wanted;
      await route.continue();
    });
    await drop(page, { "red.png": drawSquare("red", 1) });
    await page.getByText("Computing where each word comes from…").waitFor();
    const boxes = () => page.locator("#words button, #others").evaluateAll((all) => all.map((one) => one.offsetTop));
    const before = await boxes();
    resolve();
    await explained(page);
    assert.deepEqual(await boxes(), before);
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
      await page.locator("#others button").nth(1).focus();
      const { promise: explanation, resolve } = Promise.withResolvers<void>();
      await page.route("**/api/explain*", async (route) => {
        await explanation;
        await route.continue();
      });
      await page.keyboard.press("Enter");
      await page.getByText("Computing where each word comes from…").waitFor();
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
      await tabTo(/, \d[\d.]*%$/);
      assert.match(await text(page, "#hint"), /: probability /);
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

browserTest(
  "a search shows names and scores, names unknown words, and finds nothing without a known one",
  async ({ url }) => {
    await withPage(url, async (page) => {
      await page.locator('nav a[href="#search"]').click();
      await page.getByText(/^2 images$/).waitFor();
      const search = async (query: string) => {
        await page.fill("#query", query);
        await page.keyboard.press("Enter");
      };
      await search("a zeppelin over xyzzy");
      await page.getByText(/^The 2 best matches of 2, .* The model does not know “zeppelin”, “over”, “xyzzy”\.$/)
        .waitFor();
      const names = await page.locator("#results .name span").allInnerTexts();
      assert.deepEqual(names.toSorted(), ["blue.png", "red.png"]);
      for (const score of await page.locator("#results .name small").allInnerTexts()) {
        assert.match(score, /^[\d.e-]+%$/);
      }
      assert.equal(await page.locator("#more").isVisible(), false);
      await search("zeppelin");
      await page.getByText(/^The model does not know “zeppelin”\. Nothing to search for/).waitFor();
      assert.equal(await page.locator("#results li").count(), 0);
    });
  },
  ["--images", "photos"],
);

browserTest(
  "a search shows more on demand",
  async ({ url, folder }) => {
    await withPage(url, async (page) => {
      await page.goto(`${url}/#search`);
      await page.getByText(/^14 images$/).waitFor();
      await page.fill("#query", "red");
      await page.keyboard.press("Enter");
      await until(async () => await page.locator("#results li").count() === 12);
      const first = await page.locator("#results .name span").allInnerTexts();
      await page.locator("#more").click();
      await until(async () => await page.locator("#results li").count() === 14);
      assert.deepEqual((await page.locator("#results .name span").allInnerTexts()).slice(0, 12), first);
      assert.equal(await page.locator("#more").isVisible(), false, folder);
    });
  },
  ["--images", "photos"],
  Array.from({ length: 12 }, (_, index) => index),
);

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
      const width = async () => assert.equal(await page.evaluate(`document.documentElement.scrollWidth`), 360);
      await width();
      await drop(page, { "red.png": drawSquare("red", 1), "blue.png": drawSquare("blue", 1) });
      await width();
      await page.locator("#list .open").first().click();
      await explained(page);
      await width();
      await page.getByRole("button", { name: "Remove all" }).click();
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
