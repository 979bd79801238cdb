import assert from "node:assert/strict";
import { join } from "node:path";
import { ImageError } from "../../src/images/image_error.ts";
import { readImageBytes } from "../../src/images/image_file.ts";
import { canRead, canWrite } from "../support/test_data.ts";
import { makeFolder } from "../support/temporary_folder.ts";

const writes = { ignore: !canRead || !canWrite };

Deno.test("readImageBytes() names the fault of a file", writes, async () => {
  await using folder = await makeFolder({ "small.jpg": "no bytes" });
  const rejects = (file: Parameters<typeof readImageBytes>[0], pattern: RegExp) =>
    assert.rejects(readImageBytes(file), (error) => error instanceof ImageError && pattern.test(error.reason));
  const path = join(folder.path, "small.jpg");
  await rejects({ path: join(folder.path, "dog.jpg") }, /^there is no such file or folder, check the path$/);
  await rejects({ path: folder.path }, /^it is a folder, give an image file$/);
  await rejects({ path: "/dev/null" }, /^it is not a regular file/);
  const size = 256 * 2 ** 20;
  await rejects({ path, size: size + 1 }, /^the file has 268435457 bytes, give one of at most 268435456$/);
  await rejects({ path, size }, /^the file ends before byte 268435456/);
});

Deno.test("readImageBytes() reads a part of a larger file", writes, async () => {
  await using folder = await makeFolder({ "shard.tar": "0123456789" });
  const path = join(folder.path, "shard.tar");
  const read = async (place: object) => await readImageBytes({ path, ...place });
  assert.deepEqual(await read({ offset: 2, size: 3 }), new TextEncoder().encode("234"));
  assert.deepEqual(await read({ offset: 8 }), new TextEncoder().encode("89"));
  await assert.rejects(read({ offset: 8, size: 3 }), /the file ends before byte 11/);
});

Deno.test("readImageBytes() returns a file's size instead of using more memory than granted", writes, async () => {
  await using folder = await makeFolder({ "a.png": "0123456789" });
  const path = join(folder.path, "a.png");
  assert.equal(await readImageBytes({ path }, 9), 10);
  assert.equal((await readImageBytes({ path }, 10) as Uint8Array).length, 10);
});
