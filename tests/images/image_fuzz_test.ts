import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { decodeImage } from "../../src/images/decode_image.ts";
import { ImageError } from "../../src/images/image_error.ts";
import { readImageHeader } from "../../src/images/image_header.ts";
import { pngChunks } from "../../src/images/png_header.ts";
import { Random } from "../../src/random.ts";
import kinds from "../golden/image_kinds.json" with { type: "json" };
import golden from "../golden/images.json" with { type: "json" };

type Mutation = (file: Uint8Array<ArrayBuffer>, random: Random) => Uint8Array<ArrayBuffer>;

const MUTATIONS: readonly Mutation[] = [
  function flipsBits(file, random) {
    for (let left = 1 + random.below(8); left > 0; left--) {
      const at = random.below(file.length);
      file[at] = (file[at] ?? 0) ^ (1 << random.below(8));
    }
    return file;
  },
  function setsExtremeBytes(file, random) {
    for (let left = 1 + random.below(4); left > 0; left--) file[random.below(file.length)] = random.below(2) * 255;
    return file;
  },
  function cuts(file, random) {
    return file.slice(0, random.below(file.length));
  },
  function takesOut(file, random) {
    const from = random.below(file.length);
    const rest = file.slice(from + 1 + random.below(40));
    const changed = new Uint8Array(from + rest.length);
    changed.set(file.subarray(0, from));
    changed.set(rest, from);
    return changed;
  },
  function copiesWithin(file, random) {
    const from = random.below(file.length);
    return file.copyWithin(random.below(file.length), from, from + random.below(200));
  },
  function swapsMarkers(file, random) {
    const places = [...file.keys()].filter((at) => file[at] === 0xff && at + 3 < file.length);
    const [one, other] = [places[random.below(places.length + 1)] ?? 8, places[random.below(places.length + 1)] ?? 12];
    [file[one + 1], file[other + 1]] = [file[other + 1] ?? 0, file[one + 1] ?? 0];
    return file;
  },
  function changesLengths(file, random) {
    const places = [...file.keys()].filter((at) => file[at] === 0xff && (file[at + 1] ?? 0) >= 0xc0);
    const at = places[random.below(places.length + 1)] ?? 31;
    file[at + 2] = random.below(2) * random.below(256);
    file[at + 3] = random.below(256);
    return file;
  },
];

/** Puts right checksums into a PNG, so that its mutations get past them. */
function repaired(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (const { content } of pngChunks(file)) {
    const start = content.byteOffset - 4;
    new DataView(file.buffer).setUint32(
      start + 4 + content.length,
      crc32(file.subarray(start, start + 4 + content.length)),
    );
  }
  return file;
}

Deno.test("decodeImage() turns 2,000 mutated JPEGs and PNGs into pixels of the declared size or an ImageError", async () => {
  const random = new Random(20260101);
  const files = Object.entries({ ...golden.images, ...kinds.images }).map(([name, { file }]) => ({ name, file }));
  const jpegs = files.filter(({ name }) => name.endsWith(".jpg"));
  const pngs = files.filter(({ name }) => name.endsWith(".png"));
  const start = performance.now();
  let [decoded, refused] = [0, 0];
  for (let index = 0; index < 2000; index++) {
    const among = index % 2 === 0 ? jpegs : pngs;
    const { name, file } = among[random.below(among.length)] ?? { name: "", file: "" };
    const mutate = MUTATIONS[random.below(MUTATIONS.length)] ?? ((file) => file);
    let bytes = mutate(Uint8Array.fromBase64(file), random);
    if (index % 4 === 1) bytes = repaired(bytes);
    try {
      const { width, height, pixels } = await decodeImage(bytes, { maxPixels: 1e6 });
      const header = readImageHeader(bytes);
      assert.equal(width * height, header.width * header.height);
      assert.equal(pixels.length, width * height * 3);
      decoded++;
    } catch (error) {
      assert.ok(error instanceof ImageError, `image ${index}, ${name} after ${mutate.name}: ${error}`);
      refused++;
    }
  }
  assert.ok(performance.now() - start < 20_000);
  assert.ok(decoded > 100 && refused > 100, `${decoded} decoded, ${refused} refused`);
  for (const name of ["rgb-420.jpg", "rgb.png"] as const) {
    assert.equal((await decodeImage(Uint8Array.fromBase64(golden.images[name].file))).width, 45);
  }
});
