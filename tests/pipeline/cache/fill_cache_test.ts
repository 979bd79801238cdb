import assert from "node:assert/strict";
import { InputError } from "../../../src/input_error.ts";
import { CacheFiller } from "../../../src/pipeline/cache/fill_cache.ts";
import { findFiles } from "../../../src/pipeline/cache/image_content.ts";
import type { ImageEntry } from "../../../src/pipeline/cache/image_store.ts";
import { files, makeSetting } from "../../support/cache_setting.ts";

/** A store that refuses entries, and keeps what it has accepted. */
function storeThat(refuses: (entries: readonly ImageEntry[]) => boolean) {
  const stored: ImageEntry[] = [];
  return {
    stored,
    contentOf: () => undefined,
    outcome: () => undefined,
    hasPixels: () => false,
    add(entries: readonly ImageEntry[]) {
      if (!refuses(entries)) return void stored.push(...entries);
      throw new InputError("Cannot write", { cause: new Error("database or disk is full") });
    },
  };
}

for (
  const [what, refuses, pixels, rows] of [
    ["pixels", (entries: readonly ImageEntry[]) => entries.some(({ pixels }) => pixels !== undefined), 0, 3],
    ["anything", () => true, 0, 0],
    ["nothing", () => false, 2, 3],
  ] as const
) {
  Deno.test(`CacheFiller keeps its results in memory if the disk takes no ${what} more`, files, async () => {
    await using setting = await makeSetting(["20", "broken", "31"]);
    const store = storeThat(refuses);
    const found = await findFiles(setting.examples, { now: () => Date.now() + 10_000 });
    const filler = new CacheFiller({ store, writable: true, storePixels: true, maxPixels: 1e6, side: 1 });
    let full = 0;
    using decoders = setting.options.newDecoders();
    await filler.fill(filler.unknownFiles(found), {
      resizeImage: (file) =>
        decoders.decodeThen(
          file,
          ({ width, height }) => Promise.resolve({ width, height, pixels: new Uint8Array(3) }),
          { maxPixels: 1e6 },
        ),
      depth: 1,
      hasRoom: () => Promise.resolve(true),
      onFull: () => Promise.resolve(void full++),
      onImage() {},
    });
    assert.equal(full, what === "nothing" ? 0 : 1);
    assert.deepEqual([store.stored.filter((entry) => entry.pixels !== undefined).length, store.stored.length], [
      pixels,
      rows,
    ]);
    const images = found.flatMap(({ state }) => "path" in state ? [filler.imageOf(state)] : []);
    assert.deepEqual(images.map((image) => "reason" in image ? image.reason : image.content.length), [
      64,
      "the file is text",
      64,
    ]);
    assert.deepEqual(filler.unknownFiles(found).length, what === "nothing" ? 2 : 0);
  });
}
