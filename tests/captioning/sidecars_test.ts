import assert from "node:assert/strict";
import { join } from "node:path";
import { Sidecars } from "../../src/captioning/sidecars.ts";
import { makeXmp } from "../../src/captioning/xmp_description.ts";
import { InputError } from "../../src/input_error.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";

const ignore = !(canRead && canWrite);

/** The text files of a folder, images left out, by name. */
async function textsIn(folder: string): Promise<Record<string, string>> {
  const texts: [string, string][] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!/\.(jpg|png)$/.test(name)) texts.push([name, await Deno.readTextFile(join(folder, name))]);
  }
  return Object.fromEntries(texts.toSorted());
}

Deno.test({
  name: "a text sidecar is photo.txt, or photo.jpg.txt for each of two images with one stem",
  ignore,
  async fn() {
    await using folder = await makeFolder({
      "dog.jpg": "1",
      "cat.jpg": "2",
      "CAT.png": "3",
      "boat": "4",
      "boat.jpg": "5",
    });
    const sidecars = new Sidecars({ kind: "txt" });
    for (const name of ["dog.jpg", "cat.jpg", "CAT.png", "boat", "boat.jpg"]) {
      await sidecars.write(join(folder.path, name), `about ${name}`);
    }
    assert.deepEqual(await textsIn(folder.path), {
      "CAT.png.txt": "about CAT.png\n",
      "boat": "4",
      "boat.jpg.txt": "about boat.jpg\n",
      "boat.txt": "about boat\n",
      "cat.jpg.txt": "about cat.jpg\n",
      "dog.txt": "about dog.jpg\n",
    });
  },
});

Deno.test({
  name: "a sidecar is never the image itself, even if the image is called .txt",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "scan.txt": "pixels" });
    await new Sidecars({ kind: "txt", force: true }).write(join(folder.path, "scan.txt"), "a dog");
    assert.deepEqual(await textsIn(folder.path), { "scan.txt": "pixels", "scan.txt.txt": "a dog\n" });
  },
});

Deno.test({
  name: "an XMP sidecar is photo.jpg.xmp, new or with another description",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "dog.jpg": "1", "cat.jpg": "2", "cat.jpg.xmp": makeXmp("") });
    const sidecars = new Sidecars({ kind: "xmp" });
    await sidecars.write(join(folder.path, "dog.jpg"), "a dog");
    await sidecars.write(join(folder.path, "cat.jpg"), "a cat");
    assert.deepEqual(await textsIn(folder.path), { "cat.jpg.xmp": makeXmp("a cat"), "dog.jpg.xmp": makeXmp("a dog") });
  },
});

Deno.test({
  name: "another caption is replaced only by force; the same is no error",
  ignore,
  async fn() {
    for (
      const [kind, name, file] of [["txt", "dog.txt", "a cat\r\n"], ["xmp", "dog.jpg.xmp", makeXmp("a cat")]] as const
    ) {
      await using folder = await makeFolder({ "dog.jpg": "1", [name]: file });
      const image = join(folder.path, "dog.jpg");
      const sidecars = new Sidecars({ kind });
      await sidecars.write(image, "a cat");
      await assert.rejects(sidecars.write(image, "a dog"), /^InputError: Cannot write '.*': it has another caption/);
      assert.deepEqual(await textsIn(folder.path), { [name]: file });
      await new Sidecars({ kind, force: true }).write(image, "a dog");
      assert.deepEqual(await textsIn(folder.path), { [name]: kind === "txt" ? "a dog\n" : makeXmp("a dog") });
    }
  },
});

Deno.test({
  name: "a sidecar that is no text, or has no place, is refused and nothing is changed",
  ignore,
  async fn() {
    const latin = Uint8Array.of(0x3c, 0xe4, 0x3e);
    await using folder = await makeFolder({ "a.jpg": "1", "a.jpg.xmp": latin, "a.txt/b": "a folder" });
    const image = join(folder.path, "a.jpg");
    const write = (kind: "txt" | "xmp") => new Sidecars({ kind, force: true }).write(image, "a dog");
    await assert.rejects(write("xmp"), /not text in UTF-8/);
    assert.deepEqual(await Deno.readFile(`${image}.xmp`), latin);
    await assert.rejects(write("txt"), /it is not a file/);
    await assert.rejects(new Sidecars({ kind: "xmp" }).write(undefined, "a dog"), InputError);
  },
});

Deno.test({
  name: "a sidecar is not written, and a caption not replaced, if the model has no words",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "dog.jpg": "1", "dog.txt": "mine\n" });
    for (const kind of ["txt", "xmp"] as const) {
      await assert.rejects(
        new Sidecars({ kind, force: true }).write(join(folder.path, "dog.jpg"), " "),
        /^InputError: Cannot write a caption beside the image: the model has no words for it/,
      );
    }
    assert.deepEqual(await textsIn(folder.path), { "dog.txt": "mine\n" });
  },
});
