import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { runCommand } from "../../support/run_task.ts";
import { makeFolder } from "../../support/temporary_folder.ts";
import { canRead, canRun, canWrite } from "../../support/test_data.ts";

const PROCESS = fileURLToPath(new URL("writer_process.ts", import.meta.url));

Deno.test({
  name:
    "the writer writes in its folder and nowhere else, the process nowhere, and a killed one's temporary is removed",
  ignore: !canRead || !canWrite || !canRun,
  async fn() {
    const temporary = `.labels.csv.${crypto.randomUUID()}.tmp`;
    await using folder = await makeFolder({ [temporary]: "half of it" });
    await using other = await makeFolder({});
    const flags = ["--no-prompt", "--allow-read", "--allow-write", "--unstable-worker-options"];
    const paths = [await Deno.realPath(folder.path), await Deno.realPath(other.path)];
    const ended = await runCommand([Deno.execPath(), "run", ...flags, PROCESS, ...paths], folder.path);
    assert.deepEqual([ended.code, ended.stderr], [0, ""]);
    assert.deepEqual(JSON.parse(ended.stdout), { process: false, inside: true, elsewhere: false });
    assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["labels.csv"]);
    assert.deepEqual([...Deno.readDirSync(other.path)], []);
  },
});
