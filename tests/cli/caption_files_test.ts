import assert from "node:assert/strict";
import { join } from "node:path";
import type { Captioner } from "../../src/captioning/captioner.ts";
import { captionFiles } from "../../src/cli/caption_files.ts";
import images from "../golden/images.json" with { type: "json" };
import { makeFolder } from "../pipeline/temporary_folder.ts";
import { canRead, canWrite } from "../test_data.ts";

const ignore = !canRead || !canWrite;
const PICTURE = Uint8Array.fromBase64(images.images["rgb.png"].file);

/** Captions every image with its width, and notes how it was called. */
function fakeCaptioner() {
  const calls: { count: number; beam: number | undefined }[] = [];
  const captioner: Pick<Captioner, "caption"> = {
    caption(images, { beam } = {}) {
      calls.push({ count: images.length, beam });
      return Promise.resolve(images.map(({ width }) => ({ caption: `${width} wide`, logProbability: -1, tokens: [] })));
    },
  };
  return { captioner, calls };
}

Deno.test({
  name: "captionFiles() captions files in their order, by the names the user gave, and passes over broken ones",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "a.png": PICTURE, "b.jpg": "no picture", "c.png": PICTURE });
    const { captioner, calls } = fakeCaptioner();
    const { captions, broken } = await captionFiles(captioner, ["c.png", "b.jpg", "a.png", "gone.png"], {
      path: (path) => join(folder.path, path),
      beam: 4,
    });
    assert.deepEqual(captions.map(({ image, caption }) => [image, caption]), [
      ["c.png", "45 wide"],
      ["a.png", "45 wide"],
    ]);
    assert.equal(broken.length, 2);
    assert.match(broken[0] ?? "", /^Cannot decode image '.*b\.jpg': /);
    assert.match(broken[1] ?? "", /^Cannot decode image '.*gone\.png': /);
    assert.deepEqual(calls, [{ count: 2, beam: 4 }]);
  },
});

Deno.test({
  name: "captionFiles() captions at most 16 images at a time, and none where none can be decoded",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "a.png": PICTURE, "b.jpg": "no picture" });
    const path = (name: string) => join(folder.path, name);
    const many = fakeCaptioner();
    const { captions } = await captionFiles(many.captioner, new Array(18).fill("a.png"), { path });
    assert.equal(captions.length, 18);
    assert.deepEqual(many.calls.map(({ count }) => count), [16, 2]);
    const none = fakeCaptioner();
    const result = await captionFiles(none.captioner, ["b.jpg"], { path });
    assert.deepEqual([result.captions, result.broken.length, none.calls], [[], 1, []]);
  },
});
