import { describeBytes } from "../files/free_space.ts";
import { printable } from "../printable.ts";
import type { ListedRun } from "../report/list_runs.ts";

const HEADER = ["date", "name", "encoder", "epochs", "CIDEr", "size"];

/** Formats runs as a table, a line each. */
export function describeRuns(runs: readonly ListedRun[]): string[] {
  const rows = [HEADER, ...runs.map(rowOf)];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
}

function rowOf({ started, name, encoder, epochs, maxEpochs, best, bytes }: ListedRun): string[] {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = [started.getFullYear(), two(started.getMonth() + 1), two(started.getDate())].join("-");
  return [
    `${date} ${two(started.getHours())}:${two(started.getMinutes())}`,
    printable(name),
    printable(encoder),
    `${epochs}/${maxEpochs}`,
    best?.cider?.toFixed(3) ?? "-",
    describeBytes(bytes),
  ];
}
