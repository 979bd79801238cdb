/**
 * Holding a file's tensors against a model's.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";
import type { TensorLayout } from "./tensor.ts";

const NAMED = 3;

/** Options of {@linkcode matchTensors}. */
export interface MatchTensorsOptions {
  /**
   * Names that neither side needs, such as the optimizer's state when captioning.
   *
   * @default {none}
   */
  ignore?: (name: string) => boolean;
  /**
   * Where the tensors were found, for the message: a path.
   *
   * @default {"the file"}
   */
  source?: string;
  /**
   * What to do, for the message.
   *
   * @default {nothing is said}
   */
  advice?: string;
}

/**
 * Holds a file's tensors against those a model expects, before one byte is copied: the same names, types and shapes.
 *
 * @param expected The model's tensors by name.
 * @param found The file's tensors by name.
 * @param options See {@linkcode MatchTensorsOptions}.
 * @throws {InputError} They differ; the one line names the first few that are missing, unexpected or of another shape.
 */
export function matchTensors(
  expected: ReadonlyMap<string, TensorLayout>,
  found: ReadonlyMap<string, TensorLayout>,
  options: MatchTensorsOptions = {},
): void {
  const { ignore = () => false, source, advice } = options;
  const missing: string[] = [];
  const unlike: string[] = [];
  for (const [name, layout] of expected) {
    if (ignore(name)) continue;
    const other = found.get(name);
    if (other === undefined) missing.push(quoted(name));
    else if (describe(other) !== describe(layout)) {
      unlike.push(`${quoted(name)} is ${describe(other)} where the model has ${describe(layout)}`);
    }
  }
  const unexpected = [...found.keys()].filter((name) => !ignore(name) && !expected.has(name)).map(quoted);
  const faults = [firstOf("missing", missing), firstOf("unexpected", unexpected), firstOf("", unlike)];
  const text = faults.filter((fault) => fault !== "").join("; ");
  if (text === "") return;
  const where = source === undefined ? "the file" : `'${source}'`;
  const words = `Cannot load weights from ${where}: they are not this model's: ${text}`;
  throw new InputError(advice === undefined ? words : `${words}; ${advice}`);
}

function firstOf(label: string, faults: readonly string[]): string {
  if (faults.length === 0) return "";
  const more = faults.length > NAMED ? ` and ${faults.length - NAMED} more` : "";
  return `${label} ${faults.slice(0, NAMED).join(", ")}${more}`.trim();
}

function describe({ dtype, shape }: TensorLayout): string {
  return `${dtype} [${shape.join(", ")}]`;
}
