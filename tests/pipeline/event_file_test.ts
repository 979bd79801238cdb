import assert from "node:assert/strict";
import { join } from "node:path";
import { EventFile } from "../../src/pipeline/event_file.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";
import golden from "../golden/event_file.json" with { type: "json" };

const ignore = !(canRead && canWrite);

Deno.test({
  name: "EventFile writes the bytes of TensorBoard's own writer, each event at once",
  ignore,
  async fn() {
    await using folder = await makeFolder({});
    using file = new EventFile(folder.path, 301, () => golden.seconds * 1000);
    for (const [step, scalars] of golden.scalars) {
      file.add(Number(step), Object.fromEntries(Object.entries(scalars ?? {})));
    }
    const [name = "", ...others] = Array.from(Deno.readDirSync(folder.path), ({ name }) => name);
    assert.equal(others.length, 0);
    assert.match(name, /^events\.out\.tfevents\.1767225600\./);
    assert.equal((await Deno.readFile(join(folder.path, name))).toBase64(), golden.file);
  },
});
