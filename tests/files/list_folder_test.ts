import assert from "node:assert/strict";
import { join } from "node:path";
import { innerFolders, isFolder, listFolder, listIfReadable } from "../../src/files/list_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";
import { makeFolder } from "../support/temporary_folder.ts";

const ignore = !canRead || !canWrite;

Deno.test({
  name: "listFolder() lists files and folders by name, a link as its target, and nothing hidden",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "b.jpg": "", "a.jpg": "", ".hidden.jpg": "", ".git/x": "", "in/x": "" });
    for (const [to, name] of [["in", "link"], ["nowhere", "gone"], ["round", "round"]] as const) {
      await Deno.symlink(to, join(folder.path, name));
    }
    assert.deepEqual(await listFolder(folder.path, "dataset"), {
      files: ["a.jpg", "b.jpg", "gone", "round"],
      folders: ["in", "link"],
    });
    assert.deepEqual(
      await Promise.all(["in", "link", "gone", "round", "a.jpg"].map((name) => isFolder(join(folder.path, name)))),
      [true, true, false, false, false],
    );
  },
});

Deno.test({
  name: "listFolder() describes its failure in one line, and listIfReadable() returns nothing then",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "a.txt": "" });
    await Deno.symlink("round", join(folder.path, "round"));
    for (
      const [name, message] of [
        ["none", /^Cannot read dataset '.*none': there is no such file or folder, check the path$/],
        ["a.txt", /a\.txt': a part of the path is a file, not a folder$/],
        ["round", /^Cannot read dataset '.*round': its links form a loop, correct them$/],
      ] as const
    ) {
      const path = join(folder.path, name);
      await assert.rejects(listFolder(path, "dataset"), { name: "InputError", message });
      assert.deepEqual(await listIfReadable(path, "dataset"), { files: [], folders: [] });
    }
  },
});

Deno.test({
  name: "innerFolders() goes once through each folder, and past one that may not be read",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "a.txt": "", "in/b.txt": "", "in/deep/c.txt": "", "locked/x/d.txt": "" });
    await Deno.symlink("..", join(folder.path, "in", "back"));
    const locked = join(folder.path, "locked");
    // Names can be listed, but nothing behind them; to root nothing is locked.
    await Deno.chmod(locked, 0o444);
    const isRoot = await isFolder(join(locked, "x"));
    const listings = await Array.fromAsync(innerFolders(folder.path, "dataset"));
    const found = listings.map(({ path, files }) => [path, ...files]);
    await Deno.chmod(locked, 0o755);
    const others = found.filter(([path]) => !path?.startsWith("locked"));
    assert.deepEqual(others, [["", "a.txt"], ["in", "b.txt"], ["in/deep", "c.txt"]]);
    assert.equal(found.some(([path]) => path === "locked/x"), isRoot);
  },
});
