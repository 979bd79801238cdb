import assert from "node:assert/strict";
import { openCheckpoint, saveCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { exportModel } from "../../src/checkpoint/export_model.ts";
import { InputError } from "../../src/input_error.ts";
import { namesIn, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const SMALL_CAPTIONER = "tests/golden/checkpoint/captioner.safetensors";

Deno.test({
  name: "exportModel() refuses a weight beyond float16, writes nothing, and bfloat16 holds it",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const large = folder.file("large.safetensors");
    using checkpoint = await openCheckpoint(SMALL_CAPTIONER);
    const tensors = Array.from(checkpoint.tensors, ([name, tensor]) => ({
      ...tensor,
      name,
      async read() {
        const bytes = await tensor.read();
        if (name === "linear.bias") new Float32Array(bytes.buffer)[0] = 70_000;
        return bytes;
      },
    }));
    await saveCheckpoint(large, { metadata: checkpoint.metadata, tensors });
    const options = { out: folder.file("small.safetensors"), format: "checkpoint" } as const;
    await assert.rejects(
      exportModel(large, { ...options, dtype: "float16" }),
      (error) =>
        error instanceof InputError &&
        /^Cannot export in float16: a weight of 'linear\.bias' is too large for it; use --dtype bfloat16$/
          .test(error.message),
    );
    assert.deepEqual(await namesIn(folder.path), ["large.safetensors"]);
    await exportModel(large, { ...options, dtype: "bfloat16" });
    using small = await openCheckpoint(options.out);
    assert.equal(small.tensors.get("linear.bias")?.dtype, "BF16");
  },
});

Deno.test("exportModel() refuses a vocabulary file beside a checkpoint, which contains it", async () => {
  await assert.rejects(
    exportModel(SMALL_CAPTIONER, { out: "a.safetensors", format: "checkpoint", vocabulary: "a.json" }),
    /^InputError: Cannot export the vocabulary to its own file: a checkpoint contains it; omit --vocabulary$/,
  );
});

Deno.test({
  name: "exportModel() averages with another checkpoint, whose metrics are not the average's",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const out = folder.file("mean.safetensors");
    const average = { checkpoint: SMALL_CAPTIONER, fraction: 0.5 };
    await exportModel(SMALL_CAPTIONER, { out, format: "checkpoint", average });
    using mean = await openCheckpoint(out);
    using model = await openCheckpoint(SMALL_CAPTIONER);
    assert.deepEqual(mean.metadata.metrics, {});
    assert.deepEqual(await mean.tensors.get("linear.bias")?.read(), await model.tensors.get("linear.bias")?.read());
    await assert.rejects(
      exportModel(SMALL_CAPTIONER, {
        out: folder.file("other.pth"),
        average: { ...average, checkpoint: out },
        vocabulary: out,
      }),
      /^InputError: Cannot export to '.*mean\.safetensors': the checkpoint, the weights and the vocabulary must be different/,
    );
  },
});
