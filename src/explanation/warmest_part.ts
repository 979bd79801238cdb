import type { Explanation } from "./explain_words.ts";

const ROWS = ["top", "", "bottom"];
const COLUMNS = ["left", "", "right"];
const PARTS = 3;

/** A ninth of an image and its fraction of a map's heat. */
export interface WarmestPart {
  /** Its name: "top left", "top", "center" and so on. */
  readonly part: string;
  /** Its fraction of the map's heat, 0 to 1. */
  readonly fraction: number;
}

/**
 * Finds the ninth of the image with most of a map's heat. Cells on a border count in proportion to their overlap.
 *
 * @param heat The map, rows x columns, 0 or more.
 * @returns The ninth, of equal ones the first from the top left; undefined if there is no heat.
 */
export function warmestPart(
  heat: Float32Array,
  { rows, columns }: Pick<Explanation, "rows" | "columns">,
): WarmestPart | undefined {
  const total = heat.reduce((sum, value) => sum + value, 0);
  if (!(total > 0)) return undefined;
  const parts = ROWS.flatMap((vertical, down) =>
    COLUMNS.map((horizontal, across) => {
      let sum = 0;
      for (const [cell, value] of heat.entries()) {
        sum += value * overlap(Math.floor(cell / columns), rows, down) * overlap(cell % columns, columns, across);
      }
      return { part: `${vertical} ${horizontal}`.trim() || "center", fraction: sum / total };
    })
  );
  return parts.reduce((best, part) => part.fraction > best.fraction + 1e-9 ? part : best);
}

/** The fraction of a cell, one of `cells` in a row, that lies in a third. */
function overlap(cell: number, cells: number, third: number): number {
  const [from, to] = [third * cells / PARTS, (third + 1) * cells / PARTS];
  return Math.max(0, Math.min(cell + 1, to) - Math.max(cell, from));
}
