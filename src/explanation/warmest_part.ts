/**
 * Heat maps in words.
 *
 * @module
 */

import type { Explanation } from "./explain_words.ts";

const ROWS = ["top", "", "bottom"];
const COLUMNS = ["left", "", "right"];
const PARTS = 3;

/** A ninth of an image and its share of a map's heat. */
export interface WarmestPart {
  /** Its name: "top left", "top", "center" and so on. */
  readonly part: string;
  /** Its share of all heat of the map, 0 to 1. */
  readonly share: number;
}

/**
 * Says in which ninth of the image most of a map's heat lies. Places on a border count with each side's part of them.
 *
 * @param heat The map, rows x columns, 0 or more.
 * @param size The map's rows and columns.
 * @returns The ninth, of equal ones the first from the top left; undefined where there is no heat.
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
      for (const [place, value] of heat.entries()) {
        sum += value * overlap(Math.floor(place / columns), rows, down) * overlap(place % columns, columns, across);
      }
      return { part: `${vertical} ${horizontal}`.trim() || "center", share: sum / total };
    })
  );
  return parts.reduce((best, part) => part.share > best.share + 1e-9 ? part : best);
}

/** The share of a place, one of `places` beside each other, that lies in a third. */
function overlap(place: number, places: number, third: number): number {
  const [from, to] = [third * places / PARTS, (third + 1) * places / PARTS];
  return Math.max(0, Math.min(place + 1, to) - Math.max(place, from));
}
