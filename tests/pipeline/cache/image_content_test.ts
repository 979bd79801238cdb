import assert from "node:assert/strict";
import { join } from "node:path";
import { contentDigest, fileState } from "../../../src/pipeline/cache/image_content.ts";
import { ImageError } from "../../../src/images/image_error.ts";
import { makeFolder } from "../../support/temporary_folder.ts";
import { files } from "../../support/cache_setting.ts";

Deno.test("contentDigest() is the SHA-256 of an image's bytes, wherever they are stored", files, async () => {
  await using folder = await makeFolder({ "a.jpg": "abc", "shard.tar": "xxabcx" });
  const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assert.equal(await contentDigest(await fileState({ path: join(folder.path, "a.jpg") })), digest);
  const member = { path: join(folder.path, "shard.tar"), offset: 2, size: 3 };
  assert.equal(await contentDigest(await fileState(member)), digest);
});

Deno.test("contentDigest() reads no more than 256 MiB, and no fewer bytes than stated", files, async () => {
  await using folder = await makeFolder({ "a.jpg": "abc" });
  const rejects = (size: number, message: RegExp) =>
    assert.rejects(
      contentDigest({ path: join(folder.path, "a.jpg"), size, changed: 0 }),
      (error) => error instanceof ImageError && message.test(error.message),
    );
  await rejects(256 * 2 ** 20 + 1, /has 268435457 bytes, give one of at most 268435456$/);
  await rejects(256 * 2 ** 20, /it ends too early/);
});
