import assert from "node:assert/strict";
import { join } from "node:path";
import type { Captioner } from "../../src/captioning/captioner.ts";
import { captionFiles } from "../../src/cli/caption_files.ts";
import kinds from "../golden/image_kinds.json" with { type: "json" };
import images from "../golden/images.json" with { type: "json" };
import { makeFolder } from "../pipeline/temporary_folder.ts";
import { canRead, canWrite } from "../test_data.ts";

const ignore = !canRead || !canWrite;
const PICTURE = Uint8Array.fromBase64(images.images["rgb.png"].file);

/** Captions every image with its width, and notes how it was called. */
function fakeCaptioner(orientation: Captioner["orientation"] = "obeyed") {
  const calls: { count: number; beam: number | undefined }[] = [];
  const captioner: Pick<Captioner, "caption" | "orientation" | "prepare"> = {
    orientation,
    prepare: (image) => Promise.resolve({ ...image, pixels: image.pixels.slice() }),
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

Deno.test({
  name:
    "captionFiles() turns images as the model was trained on them, and refuses those of more pixels than it is told",
  ignore,
  async fn() {
    const turned = Uint8Array.fromBase64(kinds.images["turned-6.jpg"].file);
    await using folder = await makeFolder({ "turned.jpg": turned });
    const path = (name: string) => join(folder.path, name);
    const widths = async (orientation: Captioner["orientation"]) => {
      const { captions } = await captionFiles(fakeCaptioner(orientation).captioner, ["turned.jpg"], { path });
      return captions.map(({ caption }) => caption);
    };
    assert.notDeepEqual(await widths("obeyed"), await widths("ignored"));
    const { broken } = await captionFiles(fakeCaptioner().captioner, ["turned.jpg"], { path, maxPixels: 10 });
    assert.match(broken[0] ?? "", /scale it down to at most 10 in all/);
  },
});
