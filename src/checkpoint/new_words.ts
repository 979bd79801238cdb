import type { Engine, TensorInfo } from "../ffi/engine.ts";
import { convertFloats, isFloatType } from "./float_types.ts";
import type { StoredTensor } from "./tensor.ts";

const EMBEDDING = "embed.weight";
/** The tensors with a row for each word. */
const ROWS_OF_WORDS: readonly string[] = [EMBEDDING, "linear.weight", "linear.bias"];

interface Words {
  readonly known: number;
  readonly fresh: number;
}

/**
 * Completes a file's tensors for a model that knows more words: the rows of the file's words come first, and the others are
 * the model's own, as it was initialized; their embeddings are scaled to the standard deviation of the file's.
 *
 * @param words `known`: number of words in the file's vocabulary; `fresh`: number of the model's words that it lacks.
 */
export async function withNewWords(
  engine: Engine,
  found: ReadonlyMap<string, StoredTensor>,
  words: Words,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const completed = new Map(found);
  for (const own of await engine.tensors()) {
    const stored = ROWS_OF_WORDS.includes(own.name) ? found.get(own.name) : undefined;
    if (stored !== undefined) completed.set(own.name, complete(engine, own, stored, words));
  }
  return completed;
}

/** A tensor that does not fit is left for the check that all of a model's tensors pass. */
function complete(engine: Engine, own: TensorInfo, stored: StoredTensor, { known, fresh }: Words): StoredTensor {
  const { dtype, shape } = own;
  const { dtype: from, shape: [rows = 0, ...columns] } = stored;
  const [ownRows = 0, ...ownColumns] = shape;
  const fits = rows >= known && ownRows >= known + fresh && `${columns}` === `${ownColumns}`;
  if (!fits || (fresh === 0 && rows === ownRows) || !isFloatType(from) || !isFloatType(dtype)) return stored;
  return {
    dtype,
    shape,
    async read() {
      const all = new Float64Array(convertFloats(await engine.read(own), dtype, "F64").buffer);
      const old = new Float64Array(convertFloats(await stored.read(), from, "F64").buffer);
      const end = known * all.length / ownRows;
      if (own.name === EMBEDDING) {
        const factor = deviation(old.subarray(0, end)) / deviation(all);
        for (const [index, value] of all.entries()) all[index] = value * factor;
      }
      all.set(old.subarray(0, end));
      return convertFloats(new Uint8Array(all.buffer), "F64", dtype);
    },
  };
}

function deviation(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}
