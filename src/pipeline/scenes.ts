/**
 * Drawn scenes of one or two coloured shapes, with captions: a small dataset whose every picture can be described
 * exactly.
 *
 * @module
 */

import type { RgbImage } from "./decode_image.ts";
import type { Random } from "./random.ts";

type Color = readonly [number, number, number];
type Outline = (x: number, y: number) => boolean;

const COLORS: Record<string, Color> = {
  red: [214, 40, 40],
  green: [46, 160, 67],
  blue: [38, 84, 214],
  yellow: [240, 200, 20],
  purple: [140, 50, 170],
};

const BACKGROUNDS: Record<string, Color> = {
  white: [242, 242, 240],
  gray: [140, 142, 146],
  black: [24, 24, 28],
};

/** Insides of the shapes, in a unit circle around the origin. */
const SHAPES: Record<string, Outline> = {
  circle: (x, y) => x * x + y * y < 0.75,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.7,
  triangle: (x, y) => y < 0.5 && y > 1.732 * Math.abs(x) - 1,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) < 0.24 && Math.max(Math.abs(x), Math.abs(y)) < 0.9,
};

/** A picture and all it may be called. */
export interface Scene {
  /** The picture. */
  readonly image: RgbImage;
  /** Its captions: equally right, in a random order. */
  readonly captions: readonly string[];
}

interface Shape {
  readonly name: string;
  readonly color: Color;
  readonly inside: Outline;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly turn: number;
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

/** The color, a little lighter or darker in each channel. */
function vary(color: Color, random: Random): Color {
  const channel = (value: number) => Math.min(255, Math.max(0, value + between(-18, 18, random)));
  return [channel(color[0]), channel(color[1]), channel(color[2])];
}

/** One or two shapes apart from each other, of different names. Lengths are shares of the picture's side. */
function place(random: Random): Shape[] {
  const count = 1 + random.below(2);
  const shapes: Shape[] = [];
  while (shapes.length < count) {
    const [colorName, color] = pick(COLORS, random);
    const [shapeName, inside] = pick(SHAPES, random);
    const radius = count === 1 ? between(0.17, 0.32, random) : between(0.15, 0.22, random);
    const shape = {
      name: `${colorName} ${shapeName}`,
      color: vary(color, random),
      inside,
      x: between(0.08 + radius, 0.92 - radius, random),
      y: between(0.08 + radius, 0.92 - radius, random),
      radius,
      turn: between(-0.3, 0.3, random),
    };
    const free = shapes.every((other) =>
      other.name !== shape.name && Math.hypot(other.x - shape.x, other.y - shape.y) > other.radius + shape.radius
    );
    if (free) shapes.push(shape);
    else if (random.next() < 0.05) shapes.pop(); // where no place is left, begin again
  }
  return shapes;
}

/** Draws with each pixel's mean over 3 x 3 points. */
function paint(shapes: readonly Shape[], background: Color, side: number, random: Random): RgbImage {
  const pixels = new Uint8Array(side * side * 3);
  const light = between(-12, 12, random);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const sum = [0, 0, 0];
      for (let point = 0; point < 9; point++) {
        const x = (column + (point % 3 + 0.5) / 3) / side;
        const y = (row + (Math.floor(point / 3) + 0.5) / 3) / side;
        const color = shapes.find((shape) => contains(shape, x, y))?.color ?? background;
        for (let channel = 0; channel < 3; channel++) sum[channel] = (sum[channel] ?? 0) + (color[channel] ?? 0);
      }
      const shade = light * (row / side - 0.5);
      sum.forEach((value, channel) => {
        const noise = between(-5, 5, random);
        pixels[(row * side + column) * 3 + channel] = Math.min(255, Math.max(0, Math.round(value / 9 + shade + noise)));
      });
    }
  }
  return { width: side, height: side, pixels };
}

function contains(shape: Shape, x: number, y: number): boolean {
  const dx = (x - shape.x) / shape.radius;
  const dy = (y - shape.y) / shape.radius;
  if (dx * dx + dy * dy > 1) return false;
  const cos = Math.cos(shape.turn);
  const sin = Math.sin(shape.turn);
  return shape.inside(dx * cos + dy * sin, dy * cos - dx * sin);
}

function describe(shapes: readonly Shape[], background: string): string[] {
  const names = shapes.map((shape) => `a ${shape.name}`);
  const orders = names.length === 1 ? [names] : [names, names.toReversed()];
  return orders.map((order) => order.join(" and ")).flatMap((what) => [
    `${what} on a ${background} background`,
    `there is ${what} on ${background}`,
  ]);
}

/**
 * Draws one scene.
 *
 * @param side Pixels on each side.
 * @param random Where its content comes from.
 * @returns The picture and its captions.
 */
export function drawScene(side: number, random: Random): Scene {
  const shapes = place(random);
  const [background, color] = pick(BACKGROUNDS, random);
  const image = paint(shapes, vary(color, random), side, random);
  return { image, captions: random.shuffle(describe(shapes, background)) };
}
