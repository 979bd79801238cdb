import { InputError } from "../input_error.ts";
import type { CheckpointMetadata } from "./checkpoint.ts";
import { convertFloats, isFloatType } from "./float_types.ts";
import type { StoredTensor, TensorSource } from "./tensor.ts";

/** A checkpoint whose weights are averaged with another's. */
export interface AveragedModel {
  /** Names it in errors. */
  readonly path: string;
  readonly metadata: Pick<CheckpointMetadata, "model" | "vocabulary" | "preprocessing">;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Averages the weights of two models that were trained from one another, which often writes better captions than either
 * (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"): (1 - fraction) * first + fraction * second.
 *
 * @param fraction The second model's fraction, from 0 to 1.
 * @returns The tensors of the first in its float types, averaged; those that hold integers are the first's.
 * @throws {InputError} If architecture, vocabulary or preprocessing differ.
 *
 * @example Three parts of one model, one part of another
 * ```ts
 * import assert from "node:assert/strict";
 * import { averageModels } from "./average_models.ts";
 * import { openCheckpoint } from "./checkpoint.ts";
 *
 * using model = await openCheckpoint("docs/example/model.safetensors");
 * const named = { path: "model.safetensors", ...model };
 * const tensors = averageModels(named, named, 0.25);
 * assert(tensors.some(({ name }) => name === "embed.weight"));
 * ```
 */
export function averageModels(first: AveragedModel, second: AveragedModel, fraction: number): TensorSource[] {
  for (const part of ["model", "vocabulary", "preprocessing"] as const) {
    if (JSON.stringify(first.metadata[part]) === JSON.stringify(second.metadata[part])) continue;
    const what = part === "model" ? "architecture" : part;
    throw new InputError(
      `Cannot average '${first.path}' and '${second.path}': their ${what} differs; give two checkpoints of which one was trained from the other`,
    );
  }
  return Array.from(first.tensors, ([name, tensor]) => {
    const { dtype } = tensor;
    const other = second.tensors.get(name);
    if (other === undefined) throw new InputError(`Cannot average with '${second.path}': it has no tensor '${name}'`);
    const { dtype: otherType } = other;
    if (!isFloatType(dtype) || !isFloatType(otherType)) return { ...tensor, name };
    return {
      ...tensor,
      name,
      async read() {
        const one = new Float64Array(convertFloats(await tensor.read(), dtype, "F64").buffer);
        const two = new Float64Array(convertFloats(await other.read(), otherType, "F64").buffer);
        const mean = one.map((value, index) => (1 - fraction) * value + fraction * (two[index] ?? NaN));
        return convertFloats(new Uint8Array(mean.buffer), "F64", dtype);
      },
    };
  });
}
