import assert from "node:assert/strict";
import { Problem } from "../../src/server/problem.ts";
import { readImageFile } from "../../src/server/image_answer.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { picture } from "../support/picture.ts";
import { canRead, canWrite } from "../support/test_data.ts";

/** A client that stays. */
const WANTED = new AbortController().signal;

const ignore = !canRead || !canWrite;

/** A folder of temporary files, and its real path. */
async function realFolder(files: Readonly<Record<string, string | Uint8Array>>) {
  const folder = await makeFolder(files);
  return Object.assign(folder, { real: await Deno.realPath(folder.path) });
}

const gone = (pattern: RegExp) => (error: unknown) => {
  assert(error instanceof Problem);
  assert.equal(error.status, 404);
  assert.match(error.message, pattern);
  assert.doesNotMatch(error.message, /\//);
  return true;
};

Deno.test({
  name: "readImageFile() answers with a file's bytes and the type that they have, and disables caching",
  ignore,
  async fn() {
    const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0);
    await using folder = await realFolder({ "a.png": picture(), "b.PNG": picture(), "c.jpg": jpeg, "d.png": jpeg });
    const types = { "a.png": "image/png", "b.PNG": "image/png", "c.jpg": "image/jpeg", "d.png": "image/jpeg" };
    for (const [name, type] of Object.entries(types)) {
      const answer = await readImageFile(`${folder.path}/${name}`, folder.real, WANTED);
      assert.deepEqual([answer.headers.get("content-type"), answer.headers.get("cache-control")], [type, "no-cache"]);
      assert.deepEqual(await answer.bytes(), type === "image/png" ? picture() : jpeg);
    }
  },
});

Deno.test({
  name: "readImageFile() gives 404, without the path, for a missing file, a folder, a file over the limit, or no image",
  ignore,
  async fn() {
    await using folder = await realFolder({ "large.jpg": "", "folder/file": "", "text.jpg": "secret" });
    await Deno.truncate(`${folder.path}/large.jpg`, 256 * 2 ** 20 + 1);
    const cases = {
      "gone.jpg": /no such file/,
      "folder": /it is a folder/,
      "large.jpg": /268435457 bytes/,
      "text.jpg": /the file is text/,
    };
    for (const [name, pattern] of Object.entries(cases)) {
      await assert.rejects(readImageFile(`${folder.path}/${name}`, folder.real, WANTED), gone(pattern));
    }
  },
});

Deno.test({
  name: "readImageFile() follows links inside the folder, and gives 404 for those out of it",
  ignore: ignore || Deno.build.os === "windows",
  async fn() {
    await using folder = await realFolder({
      "photos/a.png": picture(),
      "photos-private/a.png": picture(),
      "..a/a.png": picture(),
    });
    const path = `${folder.path}/photos`;
    const photos = `${folder.real}/photos`;
    for (
      const [name, target] of [["inside", "a.png"], ["file", "../photos-private/a.png"], ["folder", "../..a"]] as const
    ) {
      await Deno.symlink(target, `${path}/${name}`);
    }
    assert.deepEqual(await (await readImageFile(`${path}/inside`, photos, WANTED)).bytes(), picture());
    await assert.rejects(readImageFile(`${path}/file`, photos, WANTED), gone(/it is a link out of the folder/));
    await assert.rejects(readImageFile(`${path}/folder/a.png`, photos, WANTED), gone(/it is a link out of the folder/));
    assert.equal(
      (await readImageFile(`${folder.path}/..a/a.png`, folder.real, WANTED).then((answer) => answer.bytes())).length >
        0,
      true,
    );
  },
});

Deno.test({
  name: "readImageFile() checks the open file, not the one that its path leads to later",
  ignore: ignore || Deno.build.os === "windows",
  async fn() {
    await using folder = await realFolder({ "photos/a.png": picture(), "secret.png": picture(9) });
    const path = `${folder.path}/photos/link.png`;
    await Deno.symlink("../secret.png", path);
    const { open } = Deno;
    Deno.open = async (...args) => {
      const file = await open(...args);
      await Deno.remove(path);
      await Deno.symlink("a.png", path);
      return file;
    };
    try {
      await assert.rejects(
        readImageFile(path, `${folder.real}/photos`, WANTED),
        gone(/it is a link out of the folder/),
      );
    } finally {
      Deno.open = open;
    }
  },
});

Deno.test({
  name: "readImageFile() closes the file of a client that is gone",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "a.png": picture() });
    // The sanitizer of resources finds a file that is left open.
    await assert.rejects(readImageFile(`${folder.path}/a.png`, await Deno.realPath(folder.path), AbortSignal.abort()), {
      name: "AbortError",
    });
  },
});
