import assert from "node:assert/strict";
import fc from "fast-check";
import { inferModel, matchModel, stateDictLayout } from "../../src/checkpoint/model_shape.ts";
import type { TensorLayout } from "../../src/checkpoint/tensor.ts";
import { ENCODER_NAMES, ENCODERS } from "../../src/ffi/encoders.ts";
import { Engine } from "../../src/ffi/engine.ts";
import type { ModelSettings } from "../../src/ffi/settings.ts";
import { InputError } from "../../src/input_error.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";

const SOURCE = { source: "model.pth" };
const size = (max: number) => fc.integer({ min: 1, max });
const models: fc.Arbitrary<ModelSettings> = fc.record({
  vocabularySize: fc.integer({ min: 2, max: 50 }),
  embedSize: size(20),
  hiddenSize: size(20),
  languageLayers: fc.integer({ min: 0, max: 3 }),
  fusionLayers: size(3),
  inject: fc.constantFrom("first", "every"),
  encoder: fc.constant("resnet50"),
  encoderWidth: size(8),
  encoderBlocks: fc.tuple(size(3), size(3), size(3), size(3)),
}, { noNullPrototype: true });

Deno.test("inferModel() finds the dimensions of any model from its tensors, whatever their order", () => {
  fc.assert(fc.property(models, (model) => {
    const layout = stateDictLayout(model);
    assert.deepEqual(inferModel(layout, SOURCE), model);
    assert.deepEqual(inferModel(new Map([...layout].toReversed()), SOURCE), model);
  }));
});

for (const inject of ["first", "every"] as const) {
  for (const languageLayers of [0, 2]) {
    const model: ModelSettings = {
      ...TINY_MODEL,
      inject,
      languageLayers,
      fusionLayers: 2,
      encoderBlocks: [2, 1, 3, 1],
    };
    nativeTest(
      `stateDictLayout() lists the engine's tensors: ${inject}, ${languageLayers} language layers`,
      async () => {
        using engine = await Engine.open(model, { device: "cpu", precision: "fp32", threads: 1 });
        const tensors = (await engine.tensors()).filter(({ kind }) => kind === "parameter" || kind === "buffer");
        const sorted = (entries: Iterable<readonly [string, TensorLayout]>) =>
          Array.from(entries, ([name, { dtype, shape }]) => `${name} ${dtype} [${shape.join(", ")}]`).sort();
        assert.deepEqual(
          sorted(stateDictLayout(model)),
          sorted(tensors.map((tensor) => [tensor.name, tensor] as const)),
        );
      },
    );
  }
}

const ENCODER_SIZES: Pick<ModelSettings, "encoder" | "encoderWidth" | "encoderBlocks">[] = [
  ...ENCODER_NAMES.map((encoder) => {
    const { width, blocks } = ENCODERS[encoder];
    return { encoder, encoderWidth: width, encoderBlocks: [...blocks] };
  }),
  { encoder: "resnet18", encoderWidth: 4, encoderBlocks: [2, 1, 1, 3] },
  { encoder: "efficientnet-lite0", encoderWidth: 25, encoderBlocks: [2, 1, 3, 1, 2, 2, 1] },
];

for (const size of ENCODER_SIZES) {
  const model: ModelSettings = { ...TINY_MODEL, ...size };
  const name = `${size.encoder} of width ${size.encoderWidth}`;

  Deno.test(`inferModel() finds the encoder from its tensors: ${name}`, () => {
    const layout = stateDictLayout(model);
    const inferred = inferModel(layout, SOURCE);
    assert.deepEqual({ ...inferred, encoderWidth: 0 }, { ...model, encoderWidth: 0 });
    // Several of EfficientNet-Lite's coefficients give one network.
    assert.deepEqual(stateDictLayout(inferred), layout);
  });

  nativeTest(`stateDictLayout() lists the engine's tensors: ${name}`, async () => {
    using engine = await Engine.open(model, { device: "cpu", precision: "fp32", initialization: "zero" });
    const tensors = (await engine.tensors()).filter(({ kind }) => kind === "parameter" || kind === "buffer");
    const layout = [...stateDictLayout(model)].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
    assert.deepEqual(
      layout.toSorted((a, b) => a.name < b.name ? -1 : 1),
      tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })).toSorted((a, b) => a.name < b.name ? -1 : 1),
    );
  });
}

Deno.test("inferModel() skips training state, and accepts float64", () => {
  const layout = [...stateDictLayout(TINY_MODEL)].map(([name, { dtype, shape }]) =>
    [name, { dtype: dtype === "F32" ? "F64" : dtype, shape }] as const
  );
  const moment = ["adam.exp_avg.linear.bias", { dtype: "F32", shape: [40] }] as const;
  const found = new Map<string, TensorLayout>([...layout, moment, ["rng", { dtype: "U8", shape: [9] }]]);
  assert.deepEqual(inferModel(found, SOURCE), TINY_MODEL);
  assert.deepEqual([...matchModel(TINY_MODEL, found, SOURCE).keys()], [...stateDictLayout(TINY_MODEL).keys()]);
});

function changed(name: string, layout?: TensorLayout): Map<string, TensorLayout> {
  const tensors = new Map(stateDictLayout(TINY_MODEL));
  if (layout === undefined) tensors.delete(name);
  else tensors.set(name, layout);
  return tensors;
}

const REFUSED: [string, ReadonlyMap<string, TensorLayout>, RegExp][] = [
  ["no captioner", new Map(), /it holds no captioner, the tensor 'embed\.weight' is missing/],
  ["no LSTM", changed("lstm.weight_hh_l0"), /the tensor 'lstm\.weight_hh_l0' is missing/],
  ["no second stage", changed("resnet.layer2.0.conv1.weight"), /'resnet\.layer2\.0\.conv1\.weight' is missing/],
  ["an embedding of one dimension", changed("embed.weight", { dtype: "F32", shape: [40] }), /has the shape \[40\]/],
  ["an empty embedding", changed("embed.weight", { dtype: "F32", shape: [0, 12] }), /has the shape \[0, 12\]/],
  ["a missing bias", changed("lstm.bias_hh_l0"), /missing 'lstm\.bias_hh_l0'$/],
  [
    "another output layer",
    changed("linear.weight", { dtype: "F32", shape: [41, 16] }),
    /'linear\.weight' is F32 \[41, 16/,
  ],
  ["integers", changed("linear.bias", { dtype: "I64", shape: [40] }), /'linear\.bias' is I64 \[40\] where/],
  ["one tensor more", changed("head.weight", { dtype: "F32", shape: [1] }), /unexpected 'head\.weight'$/],
  [
    "a wider input",
    changed("lstm.weight_ih_l0", { dtype: "F32", shape: [64, 25] }),
    /'lstm\.weight_ih_l0' is F32 \[64, 25/,
  ],
  [
    "a wider CNN",
    changed("resnet.conv1.weight", { dtype: "F32", shape: [9, 3, 7, 7] }),
    /'resnet\.bn1\.weight' is F32 \[8\]/,
  ],
];

for (const [what, tensors, message] of REFUSED) {
  Deno.test(`inferModel() rejects tensors with ${what} in one line`, () => {
    assert.throws(() => inferModel(tensors, SOURCE), (error) => {
      assert(error instanceof InputError);
      assert.match(error.message, message);
      assert.match(error.message, /^[^\n]*'model\.pth'[^\n]*$/);
      return true;
    });
  });
}

Deno.test("inferModel() rejects dimensions that no model may have, even if all its tensors are present", () => {
  const wide = stateDictLayout({ ...TINY_MODEL, encoderWidth: 1025 });
  assert.throws(() => inferModel(wide, SOURCE), {
    name: "InputError",
    message: "Cannot read 'model.pth': its model's encoderWidth is 1025, it must be from 1 to 1024",
  });
  const deep = stateDictLayout({ ...TINY_MODEL, encoderBlocks: [1, 257, 1, 1] });
  assert.throws(() => inferModel(deep, SOURCE), /its model's encoderBlocks is 1,257,1,1, it must be from 1 to 256$/);
});
