import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { ImageDecoders } from "../../../src/images/image_decoders.ts";
import { ImageError } from "../../../src/images/image_error.ts";
import { Random } from "../../../src/random.ts";
import formats from "../../golden/image_formats.json" with { type: "json" };
import kinds from "../../golden/image_kinds.json" with { type: "json" };
import golden from "../../golden/images.json" with { type: "json" };
import { canRead } from "../../support/test_data.ts";

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
  const view = new DataView(file.buffer);
  for (let at = 8; at + 12 <= file.length;) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > file.length) break;
    view.setUint32(end, crc32(file.subarray(at + 4, end)));
    at = end + 4;
  }
  return file;
}

/** Mutates bytes after a JPEG's last header only: its coded coefficients. */
function inScan(mutate: Mutation): Mutation {
  return (file, random) => {
    const scan = file.findLastIndex((byte, at) => byte === 0xff && file[at + 1] === 0xda) + 2;
    const start = Math.min(file.length - 2, scan + (file[scan + 1] ?? 0));
    return Uint8Array.from([...file.subarray(0, start), ...mutate(file.slice(start, -2), random), 0xff, 0xd9]);
  };
}

const images = Object.entries({ ...golden.images, ...kinds.images, ...formats.images });
const [flipsBits = (file: Uint8Array<ArrayBuffer>) => file, setsExtremeBytes = flipsBits] = MUTATIONS;

const CASES = [
  { what: "JPEGs", name: /\.jpg$/, count: 1000, mutations: MUTATIONS },
  { what: "PNGs", name: /\.png$/, count: 500, mutations: MUTATIONS },
  {
    what: "PNGs with right checksums",
    name: /\.png$/,
    count: 500,
    mutations: MUTATIONS.map((mutate): Mutation => (file, random) => repaired(mutate(file, random))),
  },
  {
    what: "JPEGs, inside their scan data",
    name: /\.jpg$/,
    count: 1000,
    mutations: [flipsBits, setsExtremeBytes].map(inScan),
  },
  { what: "WebPs", name: /\.webp$/, count: 500, mutations: MUTATIONS },
  { what: "TIFFs and GIFs", name: /\.(?:tif|gif)$/, count: 500, mutations: MUTATIONS },
  { what: "AVIFs and HEICs", name: /\.(?:avif|heic)$/, count: 200, mutations: MUTATIONS },
];

for (const { what, name: pattern, count, mutations } of CASES) {
  Deno.test(`${count} mutated ${what} become pixels or an ImageError`, { ignore: !canRead }, async () => {
    const random = new Random(20260101);
    const among = images.filter(([name]) => pattern.test(name));
    using decoders = new ImageDecoders({ count: 2 });
    let [decoded, refused] = [0, 0];

    async function decode(index: number): Promise<void> {
      const [name, { file }] = among[random.below(among.length)] ?? ["", { file: "" }];
      const mutate = mutations[random.below(mutations.length)] ?? flipsBits;
      try {
        const bytes = mutate(Uint8Array.fromBase64(file), random);
        const { width, height, pixels } = await decoders.decode({ bytes }, { maxPixels: 1e6 });
        assert.equal(pixels.length, width * height * 3);
        decoded++;
      } catch (error) {
        assert.ok(error instanceof ImageError && error.kind === "image", `image ${index}, a mutated ${name}: ${error}`);
        refused++;
      }
    }

    for (let index = 0; index < count; index += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, next) => decode(index + next)));
    }
    assert.ok(decoded > count / 50 && refused > count / 50, `${decoded} decoded, ${refused} refused`);
    const [, whole] = among[0] ?? [];
    assert.ok((await decoders.decode({ bytes: Uint8Array.fromBase64(whole?.file ?? "") })).width > 0);
  });
}
