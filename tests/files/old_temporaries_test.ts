import assert from "node:assert/strict";
import { join } from "node:path";
import { removeOldTemporaries } from "../../src/files/old_temporaries.ts";
import { namesIn, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const UUID = "3f2a9c00-0000-4000-8000-0123456789ab";

Deno.test(
  "removeOldTemporaries() removes temporaries not written for a day, and nothing else",
  NEEDS_FILES,
  async () => {
    await using folder = await temporaryFolder();
    const old = [`.a.features.${UUID}.tmp`, `.b.resized.${UUID}.tmp`];
    const kept = [`.a.features.tmp`, `a.features`, `.a.features.${UUID}`, `.${UUID}.tmp`, `.young.${UUID}.tmp`];
    for (const name of [...old, ...kept]) {
      await Deno.writeTextFile(folder.file(name), "");
      await Deno.utime(folder.file(name), 1000, 1000);
    }
    const day = 24 * 3600;
    await Deno.utime(folder.file(`.young.${UUID}.tmp`), 1001, 1001);
    const removed = await removeOldTemporaries(folder.path, { now: (1000 + day) * 1000 });
    assert.deepEqual(removed.sort(), old.map((name) => folder.file(name)));
    assert.deepEqual(namesIn(folder.path), kept.sort());
    assert.deepEqual(await removeOldTemporaries(join(folder.path, "gone")), []);
  },
);
