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

Deno.test({
  name: "findImages() finds names without ending or with another one, if exactly one file is meant",
  ...NEEDS_FILES,
  async fn() {
    const files = ["Images/a.png", "Images/a.txt", "Images/b.png", "Images/b.webp", "Images/c.d.jpeg", "Images/e.jpg"];
    assert.deepEqual(await find(files, ["a", "b", "c.d", "e.jpg", "e.png"]), {
      "a": "Images/a.png",
      "c.d": "Images/c.d.jpeg",
      // The other name with this stem is another image.
      "e.jpg": "Images/e.jpg",
    });
    assert.deepEqual(await find(["Images/a.png"], ["a.jpg"]), { "a.jpg": "Images/a.png" });
    assert.deepEqual(await find(["Images/a.png", "Images/z.png"], ["a.jpg", "a.jpeg", "z"]), { "z": "Images/z.png" });
  },
});

Deno.test({
  name: "findImages() finds COCO's names of 2014 among the files of 2017, lost zeros, and %20",
  ...NEEDS_FILES,
  async fn() {
    const coco = ["train2017/000000000001.jpg", "val2017/000000000002.jpg", "val2017/000000000123.jpg"];
    assert.deepEqual(await find(coco, ["val2014/COCO_val2014_000000000001.jpg", "COCO_train2014_000000000002.jpg"]), {
      "val2014/COCO_val2014_000000000001.jpg": "train2017/000000000001.jpg",
      "COCO_train2014_000000000002.jpg": "val2017/000000000002.jpg",
    });
    assert.deepEqual(await find(coco, ["1", "2.0", "123.jpg"]), {
      "1": "train2017/000000000001.jpg",
      "2.0": "val2017/000000000002.jpg",
      "123.jpg": "val2017/000000000123.jpg",
    });
    assert.deepEqual(await find([...coco, "train2017/000000000002.jpg"], ["1.jpg", "2.jpg"]), {
      "1.jpg": "train2017/000000000001.jpg",
    });
    assert.deepEqual(await find(["Images/a b.jpg", "Images/100%.jpg"], ["a%20b.jpg", "100%25.jpg"]), {
      "a%20b.jpg": "Images/a b.jpg",
      "100%25.jpg": "Images/100%.jpg",
    });
  },
});

Deno.test({
  name: "findImages() finds absolute paths and addresses by their ends, and never leaves the folders",
  ...NEEDS_FILES,
  async fn() {
    await using elsewhere = await makeFolder({ "secret.jpg": "" });
    const names = ["/data/x/one/a.jpg", "/data/x/two/a.jpg", "C:\\x\\b.jpg", "https://host/c.jpg"];
    assert.deepEqual(
      await find(["one/a.jpg", "two/a.jpg", "b.jpg", "c.jpg"], [...names, join(elsewhere.path, "secret.jpg")]),
      {
        "/data/x/one/a.jpg": "one/a.jpg",
        "/data/x/two/a.jpg": "two/a.jpg",
        "C:\\x\\b.jpg": "b.jpg",
        "https://host/c.jpg": "c.jpg",
      },
    );
  },
});

Deno.test({
  name: "findImages() finds names in folders of splits, unless two have one",
  ...NEEDS_FILES,
  async fn() {
    const files = ["train/a.jpg", "Test/images/b.jpg", "train/0.jpg", "Test/0.jpg"];
    assert.deepEqual(await find(files, ["a.jpg", "b.jpg", "0.jpg"]), {
      "a.jpg": "train/a.jpg",
      "b.jpg": "Test/images/b.jpg",
    });
  },
});

Deno.test({
  name: "findImages() finds the only file of a name in folders at any depth, under no other name",
  ...NEEDS_FILES,
  async fn() {
    const files = ["train/cats/a.jpg", "x/y/z/B.jpg", "one/c.jpg", "two/c.jpg", "x/y/d.png"];
    assert.deepEqual(await find(files, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]), {
      "a.jpg": "train/cats/a.jpg",
      "b.jpg": "x/y/z/B.jpg",
    });
  },
});

Deno.test({
  name: "findImages() shows a name beside a file if none is found, or names an archive to unpack",
  ...NEEDS_FILES,
  async fn() {
    await assert.rejects(find(["Images/other.png"], ["a.jpg"]), {
      message: /none of the 1 images of .* for example 'a\.jpg', while .*Images has 'other\.png'; name their folder/,
    });
    await assert.rejects(find(["Images.zip", "captions.txt"], ["a.jpg"]), {
      message: /for example 'a\.jpg'; unpack .*Images\.zip, or name their folder with --images$/,
    });
    await assert.rejects(find(["captions.txt"], ["a.jpg"]), {
      message: /'a\.jpg', and these folders have no image; name/,
    });
  },
});
