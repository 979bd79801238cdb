import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint, saveCheckpoint } from "../../../src/checkpoint/checkpoint.ts";
import { exportModel } from "../../../src/checkpoint/export_model.ts";
import { faultTest, onlyIfFlushing } from "../../support/fault_campaign.ts";

const SMALL_CAPTIONER = "tests/golden/checkpoint/captioner.safetensors";

async function copyOfCaptioner(path: string, epoch: number): Promise<void> {
  using source = await openCheckpoint(SMALL_CAPTIONER);
  const tensors = Array.from(source.tensors, ([name, tensor]) => ({ ...tensor, name }));
  await saveCheckpoint(path, { metadata: { ...source.metadata, epoch }, tensors });
}

faultTest("saveCheckpoint() of a captioner leaves the former file or the new one, whichever file operation fails", {
  before: (folder) => copyOfCaptioner(join(folder, "last.safetensors"), 1),
  run: async (folder) => {
    using source = await openCheckpoint(join(folder, "last.safetensors"));
    const tensors = Array.from(source.tensors, ([name, tensor]) => ({ ...tensor, name }));
    await saveCheckpoint(join(folder, "last.safetensors"), { metadata: { ...source.metadata, epoch: 2 }, tensors });
  },
  allows: onlyIfFlushing,
  operations: 300,
  thoroughness: "errors in turn",
});

for (const format of ["pth", "safetensors"] as const) {
  faultTest(`exportModel() writes weights and vocabulary or nothing, whichever file operation fails: ${format}`, {
    before: (folder) => copyOfCaptioner(join(folder, "best.safetensors"), 1),
    run: (folder) => exportModel(join(folder, "best.safetensors"), { out: join(folder, `model.${format}`) }),
    operations: 300,
    thoroughness: "errors in turn",
  });
}

faultTest("exportModel() replaces each file whole, whichever file operation fails: safetensors", {
  before: async (folder) => {
    await copyOfCaptioner(join(folder, "best.safetensors"), 1);
    for (const name of ["model.safetensors", "model.vocab.json"]) {
      await Deno.writeTextFile(join(folder, name), "former");
    }
  },
  run: (folder) =>
    exportModel(join(folder, "best.safetensors"), { out: join(folder, "model.safetensors"), force: true }),
  allows(after, done) {
    assert.deepEqual(Object.keys(after).sort(), Object.keys(done).sort());
    // The weights are replaced first.
    assert.equal(after["model.safetensors"], done["model.safetensors"]);
  },
  operations: 300,
  thoroughness: "errors in turn",
});

faultTest("exportModel() writes a checkpoint or nothing, whichever file operation fails", {
  before: (folder) => copyOfCaptioner(join(folder, "best.safetensors"), 1),
  run: (folder) =>
    exportModel(join(folder, "best.safetensors"), { out: join(folder, "small.safetensors"), format: "checkpoint" }),
  operations: 300,
  thoroughness: "errors in turn",
});
