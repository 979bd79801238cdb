import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";
import type { TensorLayout } from "./tensor.ts";

const NAMED = 3;

export interface MatchTensorsOptions {
  /**
   * Names to ignore on both sides, such as the optimizer's state when captioning.
   *
   * @default {none}
   */
  ignore?: (name: string) => boolean;
  /**
   * Path of the tensors, for the message.
   *
   * @default {"the file"}
   */
  source?: string;
  /**
   * The remedy, for the message.
   *
   * @default {none}
   */
  advice?: string;
}

/**
 * Compares a file's tensors with those a model expects, before any byte is copied: names, types and shapes must be
 * equal.
 *
 * @throws {InputError} If they differ; the message names the first few tensors that are missing, unexpected or have
 * another shape.
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
  const message = `Cannot load weights from ${where}: they are not this model's: ${text}`;
  throw new InputError(advice === undefined ? message : `${message}; ${advice}`);
}

function firstOf(label: string, faults: readonly string[]): string {
  if (faults.length === 0) return "";
  const more = faults.length > NAMED ? ` and ${faults.length - NAMED} more` : "";
  return `${label} ${faults.slice(0, NAMED).join(", ")}${more}`.trim();
}

function describe({ dtype, shape }: TensorLayout): string {
  return `${dtype} [${shape.join(", ")}]`;
}
