import type { Engine, TensorInfo } from "../ffi/engine.ts";
import { convertFloats, isFloatType } from "./float_types.ts";
import type { StoredTensor } from "./tensor.ts";

/** The tensors with a row for each word. */
const ROWS_OF_WORDS: readonly string[] = ["embed.weight", "linear.weight", "linear.bias"];

/**
 * Completes a file's tensors for a model that knows more words: the rows of the file's words come first, and the others are
 * the model's own, as it was initialized.
 *
 * @param words Number of words in the file's vocabulary.
 */
export async function withNewWords(
  engine: Engine,
  found: ReadonlyMap<string, StoredTensor>,
  words: number,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const completed = new Map(found);
  for (const own of await engine.tensors()) {
    const stored = ROWS_OF_WORDS.includes(own.name) ? found.get(own.name) : undefined;
    if (stored !== undefined) completed.set(own.name, complete(engine, own, stored, words));
  }
  return completed;
}

/** A tensor that does not fit is left for the check that all of a model's tensors pass. */
function complete(engine: Engine, own: TensorInfo, stored: StoredTensor, words: number): StoredTensor {
  const { dtype, shape } = own;
  const { dtype: from, shape: [rows = 0, ...columns] } = stored;
  const [ownRows = 0, ...ownColumns] = shape;
  const fits = rows >= words && ownRows >= words && `${columns}` === `${ownColumns}`;
  if (!fits || !isFloatType(from) || !isFloatType(dtype)) return stored;
  return {
    dtype,
    shape,
    async read() {
      const all = await engine.read(own);
      const known = convertFloats(await stored.read(), from, dtype);
      all.set(known.subarray(0, words * all.length / ownRows));
      return all;
    },
  };
}
