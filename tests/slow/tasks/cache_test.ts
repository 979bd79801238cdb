import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { files, makeSetting, SIDE } from "../../support/cache_setting.ts";
import { canRun } from "../../support/test_data.ts";
import { assertDone, assertRefused, type Ended, runCommand } from "../../support/run_task.ts";

const ignore = files.ignore || !canRun;
const FLAGS = ["--allow-read", "--allow-write", "--allow-env=INIT_CWD"];

function runCache(folder: string, ...args: string[]): Promise<Ended> {
  return runCommand([Deno.execPath(), "run", ...FLAGS, "tasks/cache.ts", ...args], folder);
}

Deno.test({
  name: "cache lists, verifies (exit code 1 if something was damaged) and clears",
  ignore,
  async fn() {
    await using setting = await makeSetting(["20", "31"]);
    setting.options.folder = join(setting.folder, "images");
    await setting.opened();
    const user = join(setting.folder, "..");
    const path = join(setting.options.folder, `${SIDE}-v5`, "images.sqlite");

    const listed = await runCache(user, "list", "--cache", "cache");
    assertDone(listed);
    assert.match(
      listed.stdout,
      /^images\/9-v5 {2}2 images, .* 9 x 9 pixels\n.*cache'\n$/,
    );

    const intact = await runCache(user, "verify", "--cache", "cache");
    assert.deepEqual([intact.code, intact.stdout], [0, "images/9-v5: 2 images intact\n"]);
    assert.match(intact.stderr, /^Verifying images\/9-v5: 2\/2$/m);
    {
      using database = new DatabaseSync(path);
      database.exec("UPDATE pixels SET pixels = zeroblob(length(pixels)) WHERE rowid = 2");
    }
    const damaged = await runCache(user, "verify", "--cache", "cache");
    assert.equal(damaged.code, 1);
    assert.match(
      damaged.stdout,
      /^images\/9-v5: 1 image intact, 1 damaged: removed, and computed again when needed\n$/,
    );

    const cleared = await runCache(user, "clear", "--cache", setting.folder);
    assertDone(cleared);
    assert.match(cleared.stdout, /^Removed images\/9-v5: \d/);
    assert.deepEqual([...Deno.readDirSync(setting.options.folder)], []);
    assert.equal((await runCache(user, "list", "--cache", "cache")).stdout, `No caches in '${setting.folder}'\n`);
  },
});

Deno.test({
  name: "cache refuses what it cannot do in one line",
  ignore,
  async fn() {
    await using setting = await makeSetting(["20"]);
    const user = join(setting.folder, "../..");
    const refusals: [args: string[], line: RegExp][] = [
      [[], /missing required argument 'action'$/m],
      [["lost"], /Allowed choices are list, verify, clear\.$/m],
      [["verify", "features", "--cache", "."], /Cannot verify a single cache: leave out 'features'$/m],
      [
        ["clear", "features", "--cache", "."],
        /Cannot clear 'features': there is no such cache in '.+'; there are: none$/m,
      ],
    ];
    for (const [args, line] of refusals) assertRefused(await runCache(user, ...args), line);
  },
});
