import type { RgbImage } from "../images/rgb_image.ts";
import type { Random } from "../random.ts";

type Color = readonly [number, number, number];
type Outline = (x: number, y: number) => boolean;

/** Dark shapes on light backgrounds: edges look alike in all colors. */
const COLORS: Record<string, Color> = {
  red: [204, 28, 32],
  green: [16, 128, 48],
  blue: [28, 56, 204],
  black: [24, 24, 28],
};

const BACKGROUNDS: Record<string, Color> = {
  white: [244, 244, 244],
  gray: [184, 186, 190],
  pink: [250, 190, 210],
  yellow: [248, 232, 120],
  cyan: [150, 226, 236],
  orange: [252, 190, 120],
  mint: [170, 240, 176],
  lavender: [206, 184, 248],
};

/** Insides of the shapes, in a unit circle around the origin. */
const SHAPES: Record<string, Outline> = {
  circle: (x, y) => x * x + y * y < 0.75,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.7,
  triangle: (x, y) => y < 0.5 && y > 1.732 * Math.abs(x) - 1,
};

/** Fractions of scenes with two shapes of one kind, and of two kinds; the rest have one shape. */
const FRACTIONS = { twins: 0.4, pairs: 0.15 };
/** Free margin; the center crop cuts off a part of it. */
const MARGIN = 0.07;

/** A rendered image with its captions. */
export interface Scene {
  readonly image: RgbImage;
  /** Equally correct, in random order. */
  readonly captions: readonly string[];
}

interface Kind {
  readonly name: string;
  readonly color: Color;
  readonly inside: Outline;
}

/** A placed shape. Lengths are fractions of the image's side. */
interface Shape extends Kind {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Cosine and sine of its rotation. */
  readonly cos: number;
  readonly sin: number;
}

function pick<T>(values: Record<string, T>, random: Random): [string, T] {
  const entries = Object.entries(values);
  const entry = entries[random.below(entries.length)];
  if (entry === undefined) throw new RangeError("Cannot pick from nothing");
  return entry;
}

function between(low: number, high: number, random: Random): number {
  return low + (high - low) * random.next();
}

function vary(color: Color, random: Random): Color {
  const channel = (value: number) => Math.min(255, Math.max(0, value + between(-10, 10, random)));
  return [channel(color[0]), channel(color[1]), channel(color[2])];
}

function pickKinds(random: Random): Kind[] {
  const first = pickKind(random);
  const fraction = random.next();
  if (fraction < FRACTIONS.twins) return [first, first];
  if (fraction >= FRACTIONS.twins + FRACTIONS.pairs) return [first];
  let second = pickKind(random);
  while (second.name === first.name) second = pickKind(random);
  return [first, second];
}

function pickKind(random: Random): Kind {
  const [colorName, color] = pick(COLORS, random);
  const [shapeName, inside] = pick(SHAPES, random);
  return { name: `${colorName} ${shapeName}`, color, inside };
}

/** Places shapes of these kinds without overlap. */
function place(kinds: readonly Kind[], random: Random): Shape[] {
  const shapes: Shape[] = [];
  while (shapes.length < kinds.length) {
    const kind = kinds[shapes.length];
    if (kind === undefined) break;
    const radius = kinds.length === 1 ? between(0.24, 0.38, random) : between(0.19, 0.25, random);
    const shape = {
      ...kind,
      color: vary(kind.color, random),
      x: between(MARGIN + radius, 1 - MARGIN - radius, random),
      y: between(MARGIN + radius, 1 - MARGIN - radius, random),
      radius,
      ...rotation(between(-0.1, 0.1, random)),
    };
    const free = shapes.every((other) => Math.hypot(other.x - shape.x, other.y - shape.y) > other.radius + radius);
    if (free) shapes.push(shape);
    else if (random.next() < 0.05) shapes.pop(); // there may be no room left: start again
  }
  return shapes;
}

function rotation(angle: number): Pick<Shape, "cos" | "sin"> {
  return { cos: Math.cos(angle), sin: Math.sin(angle) };
}

/** Renders with 3 x 3 supersampling, noise and a vertical brightness gradient. */
function paint(shapes: readonly Shape[], background: Color, side: number, random: Random): RgbImage {
  const pixels = new Uint8Array(side * side * 3);
  const light = between(-12, 12, random);
  for (let row = 0; row < side; row++) {
    const shade = light * (row / side - 0.5);
    for (let column = 0; column < side; column++) {
      const color = pixelColor(shapes, background, { row, column, side });
      for (let channel = 0; channel < 3; channel++) {
        const value = (color[channel] ?? 0) + shade + between(-5, 5, random);
        pixels[(row * side + column) * 3 + channel] = Math.min(255, Math.max(0, Math.round(value)));
      }
    }
  }
  return { width: side, height: side, pixels };
}

function pixelColor(
  shapes: readonly Shape[],
  background: Color,
  { row, column, side }: { row: number; column: number; side: number },
): Color {
  const near = shapes.filter(({ x, y, radius }) =>
    ((column + 0.5) / side - x) ** 2 + ((row + 0.5) / side - y) ** 2 < (radius + 1 / side) ** 2
  );
  if (near.length === 0) return background;
  let [red, green, blue] = [0, 0, 0];
  for (let point = 0; point < 9; point++) {
    const x = (column + (point % 3 + 0.5) / 3) / side;
    const y = (row + (Math.floor(point / 3) + 0.5) / 3) / side;
    const color = near.find((shape) => contains(shape, x, y))?.color ?? background;
    red += color[0] / 9;
    green += color[1] / 9;
    blue += color[2] / 9;
  }
  return [red, green, blue];
}

function contains(shape: Shape, x: number, y: number): boolean {
  const dx = (x - shape.x) / shape.radius;
  const dy = (y - shape.y) / shape.radius;
  if (dx * dx + dy * dy > 1) return false;
  return shape.inside(dx * shape.cos + dy * shape.sin, dy * shape.cos - dx * shape.sin);
}

function articleOf(name: string): string {
  return /^[aeiou]/.test(name) ? "an" : "a";
}

function describe(kinds: readonly Kind[], background: string): string[] {
  const article = articleOf(background);
  const [first, second] = kinds.map(({ name }) => name);
  if (first !== undefined && first === second) {
    return [`two ${first}s on ${article} ${background} background`, `there are two ${first}s on ${background}`];
  }
  const names = kinds.map(({ name }) => `${articleOf(name)} ${name}`);
  const orders = names.length === 1 ? [names] : [names, names.toReversed()];
  return orders.map((order) => order.join(" and ")).flatMap((what) => [
    `${what} on ${article} ${background} background`,
    `there is ${what} on ${background}`,
  ]);
}

/** Renders a scene of one or two shapes. Side in pixels. */
export function renderScene(side: number, random: Random): Scene {
  const kinds = pickKinds(random);
  const [background, color] = pick(BACKGROUNDS, random);
  const image = paint(place(kinds, random), vary(color, random), side, random);
  return { image, captions: random.shuffle(describe(kinds, background)) };
}
