import assert from "node:assert/strict";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { readCaptions } from "../../src/data/read_captions.ts";
import { drawSquare } from "../support/draw_dataset.ts";
import { startTask } from "../support/run_task.ts";
import { folderWithModel, MODEL } from "../slow/tasks/start_server.ts";
import { canBrowse, until, withPage } from "./with_page.ts";

const IMAGES = ["a.png", "b.png", "c.png", "d.png"];
const text = (page: Page, selector: string) => page.locator(selector).innerText();

/** A browser test with a task of its own, on four images. */
function labelTest(
  name: string,
  fn: (
    task: { readonly url: string; readonly file: string; labels(): Promise<Record<string, string[]>> },
  ) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !canBrowse,
    // The browser process leaves resources behind.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const images = IMAGES.map((name, index) => [`photos/${name}`, drawSquare("red", 2 * index)] as const);
      await using folder = await folderWithModel(Object.fromEntries(images));
      const file = join(folder.path, "labels.csv");
      const args = [...MODEL, "--port", "0", "--images", "photos", "--labels", "labels.csv"];
      const task = startTask("label", args, { folder: folder.path });
      try {
        const [, url = ""] = await task.printed(/(http:\/\/127\.0\.0\.1:\d+)\b/);
        const labels = async () => {
          const lines = (await Deno.readTextFile(file)).trimEnd().split("\n").slice(1);
          return Object.fromEntries(lines.map((line) => {
            const [, image = "", caption = "", source = ""] = /^([^,]+),"?(.*?)"?,(\w+)$/.exec(line) ?? [];
            return [image, [caption, source]];
          }));
        };
        await fn({ url, file, labels });
      } finally {
        task.press();
        await task.ended;
      }
    },
  });
}

/** Waits until an image and its proposals are shown, and returns these. */
async function proposalsOf(page: Page, name: string): Promise<string[]> {
  await page.getByText(name, { exact: true }).waitFor();
  await page.locator("#proposals button").nth(1).waitFor();
  return await page.locator("#proposals span").allInnerTexts();
}

/** Shows the images in the folder's order. */
async function inOrder(page: Page): Promise<void> {
  await page.selectOption("#order", "folder");
  await proposalsOf(page, "a.png");
}

labelTest(
  "keys accept, take the second proposal, type and correct; one is undone; a reload shows the file",
  async (task) => {
    await withPage(task.url, async (page) => {
      await inOrder(page);
      const [first = ""] = await proposalsOf(page, "a.png");
      await page.keyboard.press("Enter");
      const [, second = ""] = await proposalsOf(page, "b.png");
      await page.keyboard.press("2");
      await proposalsOf(page, "c.png");
      await page.keyboard.type("My own, “typed” caption.");
      await page.keyboard.press("Enter");
      const [corrected = ""] = await proposalsOf(page, "d.png");
      await page.keyboard.press("Tab");
      await page.keyboard.press("End");
      await page.keyboard.type(" indeed");
      await page.keyboard.press("Enter");
      await page.getByText("Each image has a caption.").waitFor();
      const all = {
        "a.png": [first, "accepted"],
        "b.png": [second, "accepted"],
        "c.png": ["My own, “typed” caption.", "typed"],
        "d.png": [`${corrected} indeed`, "edited"],
      };
      assert.deepEqual(await task.labels(), all);

      await page.keyboard.press("Control+z");
      await proposalsOf(page, "d.png");
      const { "d.png": _undone, ...left } = all;
      assert.deepEqual(await task.labels(), left);

      await page.reload();
      await proposalsOf(page, "d.png");
      assert.equal(await text(page, "#count"), "3 of 4 captioned");
      assert.match(await text(page, "#sources"), /^So far: 2 accepted, 0 edited, 1 typed\. .* fewer than 200 captions/);
      await page.locator("#undo").click(); // still known after the reload
      await proposalsOf(page, "c.png");
      const { "c.png": _other, ...two } = left;
      assert.deepEqual(await task.labels(), two);
      const { rows, rejected } = await readCaptions({ format: "kaggle", files: [task.file], folder: task.url });
      assert.deepEqual(rows.map(({ image, caption }) => [image, caption]), [["a.png", first], ["b.png", second]]);
      assert.deepEqual(rejected, []);
    });
  },
);

labelTest("skipped images come last, back returns, and captions are found again and removed", async (task) => {
  await withPage(task.url, async (page) => {
    await inOrder(page);
    await page.keyboard.press("ArrowRight");
    await proposalsOf(page, "b.png");
    await page.keyboard.press("ArrowLeft");
    await proposalsOf(page, "a.png");
    await page.locator("#skip").click();
    await proposalsOf(page, "b.png");
    for (const name of ["c.png", "d.png", "a.png"]) {
      await page.keyboard.press("Enter");
      await proposalsOf(page, name);
    }
    await page.selectOption("#filter", "labeled");
    const [first] = await proposalsOf(page, "b.png");
    assert.equal(await text(page, "#text-label"), "Its caption, accepted");
    assert.equal(await page.locator("#text").inputValue(), first);
    await page.getByRole("button", { name: "Remove the caption" }).click();
    await proposalsOf(page, "c.png");
    assert.deepEqual(Object.keys(await task.labels()), ["c.png", "d.png"]);
  });
});

labelTest("the least probable image comes first", async (task) => {
  await withPage(task.url, async (page) => {
    const read = async () => (await (await fetch(`${task.url}/api/labels`)).json());
    await until(async () => (await read()).proposed === IMAGES.length);
    await page.reload();
    const { images } = await read();
    const [least] = images.toSorted((a: { probability: number }, b: { probability: number }) =>
      a.probability - b.probability
    );
    await proposalsOf(page, least.name);
  });
});

labelTest("two tabs lose nothing: each keeps the other's captions, and none is replaced unseen", async (task) => {
  await withPage(task.url, async (page) => {
    await inOrder(page);
    await withPage(task.url, async (other) => {
      await inOrder(other);
      await other.keyboard.type("The other tab's.");
      await other.keyboard.press("Enter");
      await proposalsOf(other, "b.png");
      await page.keyboard.type("Mine.");
      await page.keyboard.press("Enter");
      await page.getByText(/captioned it “The other tab's\.”/).waitFor();
      assert.deepEqual((await task.labels())["a.png"], ["The other tab's.", "typed"]);
      assert.equal(await page.locator("#text").inputValue(), "Mine.");
      await page.keyboard.press("Enter"); // seen now
      await proposalsOf(page, "b.png");
      assert.deepEqual((await task.labels())["a.png"], ["Mine.", "typed"]);
      await page.keyboard.press("ArrowRight");
      await proposalsOf(page, "c.png");
      await page.keyboard.press("Enter");
      await proposalsOf(page, "d.png");
      await other.keyboard.press("Enter");
      await until(async () => Object.keys(await task.labels()).length === 3);
    });
  });
});

labelTest("the page says the command, and fits a phone in light and dark mode", async ({ url }) => {
  await withPage(url, async (page) => {
    const command = "deno task train --init-from best.safetensors --data labels.csv --images photos";
    await page.getByText(command).waitFor();
    await page.getByText(/accepting alone teaches it little/).waitFor();
    await page.setViewportSize({ width: 360, height: 740 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      assert.equal(await page.evaluate(`document.documentElement.scrollWidth`), 360);
    }
  });
});
