import assert from "node:assert/strict";
import { join } from "node:path";
import { findImages } from "../../src/data/find_images.ts";
import { NEEDS_FILES } from "../support/checkpoint_folder.ts";
import { makeFolder } from "../support/temporary_folder.ts";

async function find(files: readonly string[], names: readonly string[]): Promise<Record<string, string>> {
  await using folder = await makeFolder(Object.fromEntries(files.map((file) => [file, ""])));
  const found = await findImages(names, { images: undefined, roots: [folder.path], captions: "captions.txt" });
  return Object.fromEntries(
    [...found].map(([name, { path }]) => [name, path.slice(folder.path.length + 1)]),
  );
}

Deno.test({
  name: "findImages() finds a name without its folders if no other name ends alike",
  ...NEEDS_FILES,
  async fn() {
    assert.deepEqual(await find(["Images/a.jpg", "Images/b.jpg"], ["one/a.jpg", "two/a.jpg", "two/b.jpg"]), {
      "two/b.jpg": "Images/b.jpg",
    });
  },
});

Deno.test({
  name: "findImages() takes '\\' for '/', and ignores case if only one file matches",
  ...NEEDS_FILES,
  async fn() {
    const files = ["Images/a.jpg", "Images/É.JPG", "Images/c.jpg", "Images/C.jpg", "In/d.jpg", "Images/e.jpg"];
    assert.deepEqual(
      await find(files, ["Images\\a.jpg", "e\u0301.jpg", "C.JPG", "in\\D.jpg", "e.jpg", "E.jpg"]),
      {
        "Images\\a.jpg": "Images/a.jpg",
        "e\u0301.jpg": "Images/É.JPG",
        "in\\D.jpg": "In/d.jpg",
        // It has its name exactly, so that the other's is another image.
        "e.jpg": "Images/e.jpg",
      },
    );
    assert.deepEqual(await find(["Images/a\\b.jpg", "Images/a/b.jpg"], ["a\\b.jpg"]), {
      "a\\b.jpg": "Images/a\\b.jpg",
    });
  },
});

Deno.test({
  name: "findImages() skips an unreadable folder, and names it if there are no other images",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await makeFolder({ "Images/a.jpg": "", "train2017/a.jpg": "" });
    const locked = join(folder.path, "train2017");
    await Deno.chmod(locked, 0);
    const options = { images: undefined, roots: [folder.path], captions: "captions.txt" };
    try {
      const found = await findImages(["a.jpg", "b.jpg"], options);
      assert.deepEqual([...found.keys()], ["a.jpg"]);
      // To root nothing is locked.
      const isLocked = await Deno.lstat(join(locked, "a.jpg")).then(() => false, () => true);
      if (!isLocked) return;
      await assert.rejects(findImages(["b.jpg"], options), { message: /train2017': access is denied/ });
      await assert.rejects(findImages(["a.jpg"], { ...options, images: locked }), {
        message: /train2017': access is denied/,
      });
    } finally {
      await Deno.chmod(locked, 0o755);
    }
  },
});
