import assert from "node:assert/strict";
import { ImageError } from "../../../src/images/image_error.ts";
import { InputError } from "../../../src/input_error.ts";
import { Proposals, type ProposingModel } from "../../../src/server/label/proposals.ts";
import type { RgbImage } from "../../../src/images/rgb_image.ts";
import type { Caption } from "../../../src/captioning/caption.ts";

/** Decodes `a.jpg` to an image as wide as the name is long; `bad.jpg` is no image. */
function decodersThat(failures: { decoder: number } = { decoder: 0 }) {
  return {
    async decodeThen<Result>(file: { path: string } | object, use: (image: RgbImage) => Promise<Result>) {
      const path = "path" in file ? file.path : "";
      if (path.includes("bad")) throw new ImageError("the file is text", path);
      if (path.includes("later") && failures.decoder-- > 0) throw new ImageError("no memory", path, "decoder");
      return await use({ width: path.length, height: 1, pixels: new Uint8Array(3 * path.length) });
    },
  };
}

function modelThat(caption: (image: RgbImage) => readonly (readonly [string, number])[]) {
  const model = {
    decodeOptions: {},
    metadata: { decoding: { beamSize: 1 } },
    prepare: (image: RgbImage) => Promise.resolve(image),
    caption(images: readonly RgbImage[]) {
      return Promise.resolve(images.map((image) => {
        const [best, ...alternatives] = caption(image).map(([text, logProbability]): Caption => (
          { text, logProbability, tokens: text.split(" ") }
        ));
        return { ...best, alternatives };
      }));
    },
  };
  return model as unknown as ProposingModel;
}

function propose(names: readonly string[], options: { model?: ProposingModel; failures?: { decoder: number } } = {}) {
  const { model = modelThat(() => [["a dog", -3], ["a cat", -6]]), failures } = options;
  const images = names.map((name) => ({ name, path: `/photos/${name}` }));
  const decoders = decodersThat(failures) as unknown as ConstructorParameters<typeof Proposals>[0]["decoders"];
  return new Proposals({ model, decoders, images, maxPixels: 1e6, signal: new AbortController().signal });
}

Deno.test("Proposals captions the folder, and a caption's probability is the mean of its tokens' and its end's", async () => {
  const proposals = propose(["a.jpg", "b.jpg"]);
  await proposals.done;
  assert.equal(proposals.count, 2);
  assert.deepEqual(await proposals.of("a.jpg"), [
    { caption: "a dog", probability: Math.exp(-1) },
    { caption: "a cat", probability: Math.exp(-2) },
  ]);
  assert.equal(proposals.probabilityOf("b.jpg"), Math.exp(-1));
  assert.equal(proposals.probabilityOf("c.jpg"), null);
});

Deno.test("Proposals tells images that cannot be captioned from those that cannot be now, and names no path", async () => {
  const proposals = propose(["bad.jpg", "later.jpg"], { failures: { decoder: 1 } });
  await proposals.done;
  assert.equal(proposals.problemOf("bad.jpg"), "the file is text");
  assert.equal(proposals.problemOf("later.jpg"), null);
  await assert.rejects(proposals.of("bad.jpg"), ImageError);
  assert.equal((await proposals.of("later.jpg")).length, 2);
});

Deno.test("Proposals leaves out empty captions and those of the same words", async () => {
  const model = modelThat(() => [["a dog", -1], ["a dog ", -2], ["", -3]]);
  const proposals = propose(["a.jpg"], { model });
  assert.deepEqual((await proposals.of("a.jpg")).map(({ caption }) => caption), ["a dog"]);
  const silent = propose(["a.jpg"], { model: modelThat(() => [["", -3]]) });
  await assert.rejects(silent.of("a.jpg"), InputError);
  assert.match(silent.problemOf("a.jpg") ?? "", /no words/);
});
