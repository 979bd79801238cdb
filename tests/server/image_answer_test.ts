import assert from "node:assert/strict";
import { Problem } from "../../src/server/problem.ts";
import { readImageFile } from "../../src/server/image_answer.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";

const ignore = !canRead || !canWrite;

Deno.test({
  name: "readImageFile() answers with a file's bytes and type, and disables caching",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "a.png": "one", "b.PNG": "two", "c.jpg": "three", "d.jpeg": "four" });
    const types = { "a.png": "image/png", "b.PNG": "image/png", "c.jpg": "image/jpeg", "d.jpeg": "image/jpeg" };
    const texts = ["one", "two", "three", "four"];
    for (const [name, type] of Object.entries(types)) {
      const answer = await readImageFile(`${folder.path}/${name}`);
      assert.deepEqual([answer.headers.get("content-type"), answer.headers.get("cache-control")], [type, "no-cache"]);
      assert.equal(await answer.text(), texts.shift());
    }
  },
});

Deno.test({
  name: "readImageFile() gives 404, without the path, for a missing file, a folder, or a file over the limit",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "large.jpg": "", "folder/file": "" });
    await Deno.truncate(`${folder.path}/large.jpg`, 256 * 2 ** 20 + 1);
    const cases = { "gone.jpg": /no such file/, "folder": /it is a folder/, "large.jpg": /268435457 bytes/ };
    for (const [name, pattern] of Object.entries(cases)) {
      await assert.rejects(readImageFile(`${folder.path}/${name}`), (error) => {
        assert(error instanceof Problem);
        assert.equal(error.status, 404);
        assert.match(error.message, pattern);
        assert.doesNotMatch(error.message, /\//);
        return true;
      });
    }
  },
});
