import assert from "node:assert/strict";
import { join } from "node:path";
import { fileDigest } from "../../src/files/file_digest.ts";
import { isLfsPointer } from "../../src/files/lfs_pointer.ts";
import { openFile } from "../../src/files/open_file.ts";
import { readTextFile } from "../../src/files/text_file.ts";
import { NEEDS_FILES } from "../support/checkpoint_folder.ts";
import { lfsPointer } from "../support/lfs_pointer.ts";
import { makeFolder } from "../support/temporary_folder.ts";

Deno.test("isLfsPointer() recognizes pointers, and no other text", () => {
  assert(isLfsPointer(lfsPointer()));
  assert(isLfsPointer(lfsPointer().replaceAll("\n", "\r\n")));
  for (const text of ["version 1", "image,caption\n", `a ${lfsPointer()}`, lfsPointer().replace("oid", "id")]) {
    assert(!isLfsPointer(text), text);
  }
});

Deno.test({
  name: "openFile() and readTextFile() say that a file is a pointer, and what to do",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await makeFolder({ "a.safetensors": lfsPointer(), "small": "x" });
    const path = join(folder.path, "a.safetensors");
    const message =
      /a\.safetensors': it is a pointer of Git LFS, not the file itself; run git lfs pull in its repository$/;
    await assert.rejects(openFile(path), { name: "InputError", message });
    await assert.rejects(readTextFile(path, "captions"), { name: "InputError", message });
    (await openFile(join(folder.path, "small")))[Symbol.dispose]();
    assert.match(await fileDigest(path), /^[\da-f]{64}$/);
  },
});
