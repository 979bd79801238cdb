import assert from "node:assert/strict";
import { loadEncoderWeights } from "../../src/checkpoint/encoder_weights.ts";
import { modelTensors } from "../../src/checkpoint/model_state.ts";
import { writePth } from "../../src/checkpoint/pth.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import type { TensorSource } from "../../src/checkpoint/tensor.ts";
import { Engine } from "../../src/ffi/engine.ts";
import type { EngineOptions, ModelSettings } from "../../src/ffi/settings.ts";
import { InputError } from "../../src/input_error.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const CPU: EngineOptions = { device: "cpu", precision: "fp32", threads: 1 };

/** The CNN of an engine by torchvision's names, with a classifier of 1000 classes. */
async function torchvisionTensors(engine: Engine): Promise<TensorSource[]> {
  const tensors = (await modelTensors(engine, ["parameter", "buffer"]))
    .filter(({ name }) => name.startsWith("resnet.") && !name.startsWith("resnet.fc."));
  const classifier = (name: string, shape: readonly number[]): TensorSource => ({
    name,
    dtype: "F32",
    shape,
    read: () => Promise.resolve(new Uint8Array(4 * shape.reduce((product, length) => product * length, 1)).fill(63)),
  });
  return [
    ...tensors.map((tensor) => ({ ...tensor, name: tensor.name.slice("resnet.".length) })),
    classifier("fc.weight", [1000, 256]),
    classifier("fc.bias", [1000]),
  ];
}

async function digests(engine: Engine): Promise<Map<string, string>> {
  const map = new Map<string, string>();
  for (const tensor of await modelTensors(engine, ["parameter", "buffer"])) {
    map.set(tensor.name, (await tensor.read()).toBase64());
  }
  return map;
}

function isEncoder(name: string): boolean {
  return name.startsWith("resnet.") && !name.startsWith("resnet.fc.");
}

/** An engine with a CNN that other engines load, and a folder. */
function weightsTest(name: string, fn: (donor: Engine, file: (name: string) => string) => Promise<void>): void {
  nativeTest(name, async () => {
    await using folder = await temporaryFolder();
    using donor = await Engine.open(TINY_MODEL, { ...CPU, seed: 1 });
    await donor.write("resnet.bn1.num_batches_tracked", new Uint8Array(BigInt64Array.of(9n).buffer));
    await fn(donor, folder.file);
  }, NEEDS_FILES);
}

for (const ending of ["safetensors", "pth"] as const) {
  weightsTest(`loadEncoderWeights() reads torchvision's names from .${ending}, its classifier skipped`, async (
    donor,
    file,
  ) => {
    const path = file(`resnet50.${ending}`);
    const tensors = await torchvisionTensors(donor);
    if (ending === "pth") await writePth(path, tensors);
    else await writeSafetensors(path, { metadata: {}, tensors });
    using engine = await Engine.open({ ...TINY_MODEL, hiddenSize: 20 }, { ...CPU, seed: 2 });
    const before = await digests(engine);
    const { tensors: count, skipped } = await loadEncoderWeights(engine, path);
    const [after, expected] = [await digests(engine), await digests(donor)];
    for (const [name, bytes] of after) {
      assert.equal(bytes, isEncoder(name) ? expected.get(name) : before.get(name), name);
    }
    assert.equal(count, [...after.keys()].filter(isEncoder).length);
    assert.deepEqual(skipped.toSorted(), ["fc.bias", "fc.weight"]);
  });
}

weightsTest("loadEncoderWeights() does without BatchNorm's counters, which old files lack", async (donor, file) => {
  const path = file("old.pth");
  const tensors = (await torchvisionTensors(donor)).filter(({ name }) => !name.endsWith(".num_batches_tracked"));
  await writePth(path, tensors);
  using engine = await Engine.open(TINY_MODEL, { ...CPU, seed: 2 });
  const skipped = ["fc.weight", "fc.bias"];
  assert.deepEqual(await loadEncoderWeights(engine, path), { tensors: tensors.length - skipped.length, skipped });
  const [after, expected] = [await digests(engine), await digests(donor)];
  assert.equal(after.get("resnet.layer4.0.bn3.running_var"), expected.get("resnet.layer4.0.bn3.running_var"));
  assert.notEqual(after.get("resnet.bn1.num_batches_tracked"), expected.get("resnet.bn1.num_batches_tracked"));
});

weightsTest("loadEncoderWeights() rejects another network's weights and leaves the model", async (donor, file) => {
  const path = file("resnet18.pth");
  await writePth(path, await torchvisionTensors(donor));
  const others: [Partial<ModelSettings>, RegExp][] = [
    [{ encoderWidth: 32 }, /: 'conv1\.weight' is F32 \[8, 3, 7, 7\] where the model has F32 \[32, 3, 7, 7\]/],
    [{ encoderBlocks: [2, 1, 1, 1] }, /: missing 'layer1\.1\.conv1\.weight'/],
  ];
  for (const [change, message] of others) {
    using engine = await Engine.open({ ...TINY_MODEL, ...change }, CPU);
    const before = await digests(engine);
    await assert.rejects(
      loadEncoderWeights(engine, path),
      (error) => error instanceof InputError && error.message.includes(`'${path}'`) && message.test(error.message),
    );
    assert.deepEqual(await digests(engine), before);
  }
});

weightsTest("loadEncoderWeights() rejects ResNet-18, whose blocks have two convolutions", async (donor, file) => {
  const path = file("resnet18.pth");
  const tensors = await torchvisionTensors(donor);
  await writePth(path, tensors.filter(({ name }) => !/\.(conv3|bn3)\./.test(name)));
  const message = /: missing 'layer1\.0\.conv3\.weight', 'layer1\.0\.bn3\.weight', .* and \d+ more$/;
  await assert.rejects(loadEncoderWeights(donor, path), { name: "InputError", message });
});

/** The same tensors as DataParallel names them. */
function wrapped(tensors: readonly TensorSource[]): TensorSource[] {
  return tensors.map((tensor) => ({ ...tensor, name: `module.${tensor.name}` }));
}

weightsTest("loadEncoderWeights() reads weights saved by DataParallel", async (donor, file) => {
  const path = file("wrapped.pth");
  await writePth(path, wrapped(await torchvisionTensors(donor)));
  using engine = await Engine.open(TINY_MODEL, { ...CPU, seed: 2 });
  const { skipped } = await loadEncoderWeights(engine, path);
  assert.deepEqual(skipped, ["module.fc.weight", "module.fc.bias"]);
  const [after, expected] = [await digests(engine), await digests(donor)];
  for (const name of [...after.keys()].filter(isEncoder)) assert.equal(after.get(name), expected.get(name), name);
});

weightsTest("loadEncoderWeights() reads weights whose names share any prefix", async (donor, file) => {
  const expected = await digests(donor);
  for (const prefix of ["_orig_mod.", "model.", "module._orig_mod.", "backbone.resnet."]) {
    const path = file("prefixed.pth");
    await writePth(
      path,
      (await torchvisionTensors(donor)).map((tensor) => ({ ...tensor, name: prefix + tensor.name })),
    );
    using engine = await Engine.open(TINY_MODEL, { ...CPU, seed: 2 });
    const { skipped } = await loadEncoderWeights(engine, path);
    assert.deepEqual(skipped, [`${prefix}fc.weight`, `${prefix}fc.bias`]);
    const after = await digests(engine);
    for (const name of [...after.keys()].filter(isEncoder)) assert.equal(after.get(name), expected.get(name), name);
  }
});

weightsTest("loadEncoderWeights() names tensors as the file does", async (donor, file) => {
  const tensors = await torchvisionTensors(donor);
  const renamed = (from: string, to: string) =>
    tensors.map((tensor) => ({ ...tensor, name: tensor.name === from ? to : tensor.name }));
  const files: [TensorSource[], string][] = [
    [renamed("bn1.bias", "kite"), "missing 'bn1.bias'; unexpected 'kite'"],
    [wrapped(renamed("bn1.bias", "kite")), "missing 'module.bn1.bias'; unexpected 'module.kite'"],
    [renamed("bn1.bias", "module.bn1.bias"), "missing 'bn1.bias'; unexpected 'module.bn1.bias'"],
    [renamed("fc.bias", "fc.0.bias"), "unexpected 'fc.0.bias'"],
    [wrapped(renamed("fc.bias", "fc.extra")), "unexpected 'module.fc.extra'"],
  ];
  for (const [index, [tensors, faults]] of files.entries()) {
    const path = file(`${index}.pth`);
    await writePth(path, tensors);
    await assert.rejects(loadEncoderWeights(donor, path), {
      name: "InputError",
      message: `Cannot load weights from '${path}': they are not this model's: ${faults}`,
    });
  }
});

weightsTest("loadEncoderWeights() rejects a file without weights", async (donor, file) => {
  await Deno.writeTextFile(file("weights.pth"), "no weights");
  await Deno.writeTextFile(file("weights.safetensors"), "no weights");
  for (const name of ["weights.pth", "weights.safetensors", "gone.pth"]) {
    await assert.rejects(
      loadEncoderWeights(donor, file(name)),
      (error) => error instanceof InputError && error.message.startsWith(`Cannot read '${file(name)}': `),
    );
  }
});
