/**
 * What a benchmark finds, in rows.
 *
 * @module
 */

/** One figure beside its counterpart. */
export interface Row {
  /** What was measured. */
  readonly name: string;
  /** Ours: the median. */
  readonly ours: number;
  /** The counterpart's, or what ours is held against; null where there is none. */
  readonly theirs: number | null;
  /** Of both. */
  readonly unit: string;
  /** The median of the rounds' `ours / theirs`; null without a counterpart. */
  readonly ratio: number | null;
  /** Least and greatest of the rounds' ratios, or of ours without a counterpart. */
  readonly spread: readonly [number, number];
  /** What the ratio should be at least or, in a row of shares and times, ours at most; null where it is only reported. */
  readonly bar: string | null;
  /** Whether it is. */
  readonly met: boolean | null;
}

/** What a figure is held against. */
export interface Bar {
  /**
   * The least ratio of ours to theirs.
   *
   * @default {none}
   */
  readonly least?: number;
  /**
   * The greatest ratio of ours to theirs, or the greatest value of ours where there are no theirs.
   *
   * @default {none}
   */
  readonly most?: number;
}

/** The middle value, the mean of the two middle ones where there is an even number of them; NaN without any. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? NaN) + (sorted[Math.floor(half)] ?? NaN)) / 2;
}

/**
 * Makes a row of what was measured in turns.
 *
 * @param name What was measured.
 * @param unit Of the values.
 * @param rounds Ours and the counterpart's value of each round, or ours alone.
 * @param bar What the result is held against.
 * @returns The row.
 */
export function makeRow(
  [name, unit]: readonly [name: string, unit: string],
  rounds: readonly (readonly [ours: number, theirs?: number])[],
  { least, most }: Bar = {},
): Row {
  const ours = median(rounds.map(([value]) => value));
  const both = rounds.flatMap(([value, other]) => other === undefined ? [] : [[value, other] as const]);
  const ratios = both.map(([value, other]) => value / other);
  const ratio = both.length > 0 ? median(ratios) : null;
  const judged = ratio ?? ours;
  const spreadOf = ratio === null ? rounds.map(([value]) => value) : ratios;
  const bar = least !== undefined ? `>= ${least}` : most !== undefined ? `<= ${most}` : null;
  return {
    ...{ name, ours, theirs: both.length > 0 ? median(both.map(([, other]) => other)) : null, unit, ratio },
    spread: [Math.min(...spreadOf), Math.max(...spreadOf)],
    bar,
    met: bar === null ? null : judged >= (least ?? -Infinity) && judged <= (most ?? Infinity),
  };
}

/** Writes a number with three significant digits. */
function digits(value: number | null): string {
  if (value === null) return "";
  return Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

/**
 * Writes rows as a Markdown table.
 *
 * @param rows The rows.
 * @param counterpart What the second column is headed.
 * @returns The table, with a final line feed.
 */
export function formatTable(rows: readonly Row[], counterpart = "PyTorch"): string {
  const lines = rows.map(({ name, ours, theirs, unit, ratio, spread, bar, met }) => [
    ...[name, digits(ours), digits(theirs), unit, digits(ratio), spread.map(digits).join(" to ")],
    bar === null ? "" : `${bar} ${met ? "yes" : "**no**"}`,
  ]);
  const head = ["", "lrcn", counterpart, "unit", "ratio", "spread", "bar"];
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}
