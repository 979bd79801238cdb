import assert from "node:assert/strict";
import { join } from "node:path";
import { isCaptionFolder, readCaptionFolder } from "../../../src/data/formats/caption_folder.ts";
import { NEEDS_FILES } from "../../support/checkpoint_folder.ts";
import { lfsPointer } from "../../support/lfs_pointer.ts";
import { makeFolder } from "../../support/temporary_folder.ts";

Deno.test({
  name: "readCaptionFolder() takes each line of photo.txt as a caption of photo.jpg, in folders at any depth",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await makeFolder({
      "b.JPG": "",
      "b.txt": "\uFEFFA boat .\r\n\r\nA red boat .",
      "été/mit Leer zeichen.png": "",
      "été/mit Leer zeichen.txt": "凧\n",
      "deep/er/c.jpeg": "",
      "deep/er/c.txt": "A cow .\n",
      "README.txt": "not a caption",
      "Flickr_8k.trainImages.txt": "b.JPG\n",
    });
    // A circle of links ends.
    await Deno.symlink(folder.path, join(folder.path, "deep", "circle"));
    const { rows, rejected, images } = await readCaptionFolder(folder.path);
    assert.deepEqual(rejected, []);
    assert.deepEqual(rows, [
      { image: "b.JPG", caption: "A boat ." },
      { image: "b.JPG", caption: "A red boat ." },
      { image: "deep/er/c.jpeg", caption: "A cow ." },
      { image: "été/mit Leer zeichen.png", caption: "凧" },
    ]);
    assert.deepEqual(images.get("deep/er/c.jpeg"), { path: join(folder.path, "deep/er/c.jpeg") });
    assert(await isCaptionFolder(folder.path));
  },
});

Deno.test({
  name: "readCaptionFolder() rejects images and texts that are alone, empty, shared or no text",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await makeFolder({
      "a.jpg": "",
      "b.txt": "x",
      "c.jpg": "",
      "c.png": "",
      "c.txt": "A cow .",
      "d.jpg": "",
      "d.txt": " \n",
      "e.jpg": "",
      "e.txt": Uint8Array.of(0xff, 0xfe, 0x41, 0),
      "f.jpg": "",
      "f.txt": lfsPointer(),
    });
    const { rows, rejected } = await readCaptionFolder(folder.path);
    assert.deepEqual(rows, [{ image: "c.jpg", caption: "A cow ." }]);
    assert.deepEqual(rejected.map(({ file, reason }) => `${file.slice(folder.path.length + 1)} ${reason}`), [
      "a.jpg has no a.txt beside it",
      "c.png shares c.txt with c.jpg",
      "b.txt has no image beside it",
      "d.txt has no caption",
      "e.txt cannot be read as text in UTF-8 of at most 1 MB",
      "f.txt cannot be read: it is a pointer of Git LFS, not the file itself; run git lfs pull in its repository",
    ]);
  },
});

Deno.test({
  name: "readCaptionFolder() reads .caption, .captions and photo.jpg.txt, beside images of all formats",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await makeFolder({
      ...{ "a.webp": "", "a.caption": "A cow .", "b.heic": "", "b.captions": "A dog .\nTwo .", "c.jpg": "" },
      ...{
        "c.jpg.txt": "A cat .",
        "d.png": "",
        "d.caption": "not this",
        "d.txt": "A fox .",
        "e.bmp": "",
        "e.txt": "x",
      },
      ...{ "latest_images.txt": "x", "train_images.txt": "a.webp" },
    });
    const { rows, rejected } = await readCaptionFolder(folder.path);
    assert.deepEqual(rows.map(({ image, caption }) => `${image}: ${caption}`), [
      "a.webp: A cow .",
      "b.heic: A dog .",
      "b.heic: Two .",
      "c.jpg: A cat .",
      "d.png: A fox .",
    ]);
    assert.deepEqual(rejected.map(({ file, reason }) => `${file.slice(folder.path.length + 1)} ${reason}`), [
      "d.caption is not read, since d.txt is",
      "e.txt is beside e.bmp: convert that to JPEG or PNG",
      "latest_images.txt has no image beside it",
    ]);
  },
});

Deno.test({
  name: "readCaptionFolder() rejects a text that is a link in a circle, and isCaptionFolder() ends after 1000 folders",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await makeFolder({ "a.jpg": "", "b.jpg": "", "b.txt": "A boat ." });
    await Deno.symlink("a.txt", join(folder.path, "a.txt"));
    const { rows, rejected } = await readCaptionFolder(folder.path);
    assert.deepEqual([rows.length, rejected.length], [1, 1]);
    await using wide = await makeFolder({ "z/a.jpg": "", "z/a.txt": "x" });
    await Promise.all(Array.from({ length: 998 }, async (_, index) => {
      await Deno.mkdir(join(wide.path, `${index}`));
      await Deno.create(join(wide.path, `${index}`, "x")).then((file) => file.close());
    }));
    assert(await isCaptionFolder(wide.path));
    await Deno.mkdir(join(wide.path, "y"));
    await Deno.create(join(wide.path, "y", "x")).then((file) => file.close());
    assert(!await isCaptionFolder(wide.path));
  },
});
