import assert from "node:assert/strict";
import type { RgbImage } from "../../../src/images/rgb_image.ts";
import { Random } from "../../../src/random.ts";
import { renderScene, type Scene } from "../../../src/sample/scenes.ts";

const SIDE = 128;
const ONE_OR_TWO =
  /^(?:there is )?an? (?<color1>\w+) (?<name1>\w+)(?: and an? (?<color2>\w+) (?<name2>\w+))? on (?:an? )?(?<ground>\w+)(?: background)?$/;
const TWINS = /^(?:there are )?two (?<color1>\w+) (?<name1>\w+)s on (?:an? )?(?<ground>\w+)(?: background)?$/;

const COLORS: Record<string, readonly [number, number, number]> = {
  red: [210, 35, 35],
  green: [20, 130, 50],
  blue: [35, 60, 210],
  black: [24, 24, 28],
  white: [243, 243, 242],
  gray: [184, 186, 190],
  pink: [250, 190, 210],
  yellow: [248, 232, 120],
  cyan: [150, 226, 236],
  orange: [250, 190, 120],
  mint: [170, 240, 175],
  lavender: [206, 184, 246],
};

/**
 * For each shape: squared distances from its center to the farthest point inside and the nearest point outside, divided by
 * its area. For a circle both are 1 / pi.
 */
const SHAPES: Record<string, readonly [number, number]> = {
  circle: [0.318, 0.318],
  square: [0.5, 0.25],
  triangle: [0.77, 0.19],
};

interface Words {
  readonly shapes: readonly { readonly color: string; readonly name: string }[];
  readonly background: string;
}

function read(caption: string): Words {
  const twins = caption.match(TWINS)?.groups;
  const { color1, name1, color2, name2, ground } = twins ?? caption.match(ONE_OR_TWO)?.groups ?? {};
  assert(color1 !== undefined && name1 !== undefined && ground !== undefined, `no caption of a scene: ${caption}`);
  const first = { color: color1, name: name1 };
  if (twins !== undefined) return { shapes: [first, first], background: ground };
  const second = color2 !== undefined && name2 !== undefined ? [{ color: color2, name: name2 }] : [];
  return { shapes: [first, ...second], background: ground };
}

/** The nearest of the known colors of each pixel. */
function namesOfPixels({ pixels }: RgbImage, known: ReadonlySet<string>): string[] {
  return Array.from({ length: pixels.length / 3 }, (_, index) => {
    let [best, least] = ["", Infinity];
    for (const name of known) {
      const color = COLORS[name];
      assert(color !== undefined, `no color: ${name}`);
      const distance = Math.hypot(...color.map((value, channel) => value - (pixels[3 * index + channel] ?? 0)));
      if (distance < least) [best, least] = [name, distance];
    }
    return best;
  });
}

/** Colors of more than 2.5% of the pixels; mixtures at edges look like other colors. */
function commonColors(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > 0.025 * names.length).map(([name]) => name);
}

/** The shape formed by the pixels that are not background. */
function shapeOf(names: readonly string[], background: string): string {
  const points = names.map((name, index) => ({
    inside: name !== background,
    x: index % SIDE,
    y: Math.floor(index / SIDE),
  }));
  const inside = points.filter((point) => point.inside);
  const area = inside.length;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / area;
  const [centerX, centerY] = [mean(inside.map(({ x }) => x)), mean(inside.map(({ y }) => y))];
  const far = (point: { x: number; y: number }) => (point.x - centerX) ** 2 + (point.y - centerY) ** 2;
  const farthest = inside.reduce((most, point) => Math.max(most, far(point)), 0) / area;
  const nearest = points.reduce((least, point) => point.inside ? least : Math.min(least, far(point)), Infinity) / area;
  return Object.entries(SHAPES)
    .map(([name, [most, least]]) => ({ name, off: Math.hypot(Math.log(farthest / most), Math.log(nearest / least)) }))
    .reduce((best, other) => other.off < best.off ? other : best).name;
}

function renderScenes(count: number, side: number, seed: number): Scene[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => renderScene(side, random));
}

Deno.test("renderScene() renders what its captions say: colors, shapes and background", () => {
  const scenes = renderScenes(120, SIDE, 1).map(({ image, captions: [caption = ""] }) => ({
    image,
    caption,
    ...read(caption),
  }));
  const known = new Set(scenes.flatMap(({ shapes, background }) => [background, ...shapes.map(({ color }) => color)]));
  for (const { image, caption, shapes, background } of scenes) {
    assert.deepEqual([image.width, image.height, image.pixels.length], [SIDE, SIDE, SIDE * SIDE * 3]);
    const names = namesOfPixels(image, known);
    const colors = new Set([background, ...shapes.map(({ color }) => color)]);
    assert.deepEqual(commonColors(names).toSorted(), [...colors].toSorted(), caption);
    for (const corner of [0, SIDE - 1, SIDE * (SIDE - 1), SIDE * SIDE - 1]) {
      assert.equal(names[corner], background, caption);
    }
    if (shapes.length === 1) assert.equal(shapeOf(names, background), shapes[0]?.name, caption);
  }
  const pairs = scenes.filter(({ shapes }) => shapes.length === 2).length;
  assert(pairs > 10 && pairs < 110, `${pairs} pairs`);
});

Deno.test("renderScene() returns captions with the same content, in random order", () => {
  const firsts = new Set<string>();
  for (const { captions } of renderScenes(40, 4, 2)) {
    const contents = captions.map((caption) => {
      const { shapes, background } = read(caption);
      return [background, ...shapes.map(({ color, name }) => `${color} ${name}`).toSorted()].join();
    });
    assert.equal(new Set(contents).size, 1);
    assert.equal(new Set(captions).size, captions.length);
    const kinds = new Set(read(captions[0] ?? "").shapes.map(({ color, name }) => `${color} ${name}`));
    assert.equal(captions.length, kinds.size === 1 ? 2 : 4);
    firsts.add((captions[0] ?? "").split(" ")[0] ?? "");
  }
  assert.deepEqual([...firsts].toSorted(), ["a", "there", "two"]);
});

Deno.test("renderScene() renders the same scenes from the same seed, and others from another", () => {
  assert.deepEqual(renderScenes(5, 16, 3), renderScenes(5, 16, 3));
  assert.notDeepEqual(renderScenes(5, 16, 3), renderScenes(5, 16, 4));
});

Deno.test("renderScene() makes a task that cannot be guessed: many descriptions, none of them common", () => {
  const seeds = Array.from({ length: 20 }, (_, seed) => seed);
  let descriptions = 0;
  for (const seed of seeds) {
    const scenes = renderScenes(160, 4, seed);
    descriptions += new Set(scenes.map(({ captions }) => captions.toSorted().join())).size;
    const counts = new Map<string, number>();
    for (const caption of scenes.flatMap(({ captions }) => captions)) {
      counts.set(caption, (counts.get(caption) ?? 0) + 1);
    }
    assert(Math.max(...counts.values()) <= 0.05 * 160);
  }
  const mean = descriptions / seeds.length;
  assert(mean >= 100, `${mean} descriptions among 160 on average`);
});
