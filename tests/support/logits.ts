// The logits of a model, by the function that native/include/lrcn_test.h declares.

import type { Batch } from "../../src/ffi/batch.ts";
import type { Engine } from "../../src/ffi/engine.ts";
import { LIBRARY_PATH, loadLibrary } from "../../src/ffi/library.ts";

/** Each parameter with its C declaration, as in src/ffi/symbols.ts. */
export const TEST_SYMBOLS = {
  lrcn_logits: {
    parameters: [
      "pointer", // lrcn_engine *engine
      "buffer", // const lrcn_batch_shape *shape
      "buffer", // const uint8_t *pixels
      "i64", // int64_t pixels_length
      "buffer", // const float *features
      "i64", // int64_t features_length
      "buffer", // const int32_t *image_of_row
      "i64", // int64_t image_of_row_length
      "buffer", // const int32_t *inputs
      "i64", // int64_t inputs_length
      "buffer", // double *logits
      "i64", // int64_t logits_length
      "buffer", // char *message
      "i32", // int32_t message_capacity
    ],
    result: "i32",
    nonblocking: true,
  },
} as const;

/**
 * Computes the logits of every token at every step, given the batch's inputs. An engine keeps its pointer to itself: the
 * call takes the place of the one that {@linkcode Engine.evaluateStep} makes with the same batch.
 *
 * @param batch Images and captions; only the shape of the targets is used.
 * @returns Logits, captions x targetsLength x vocabularySize.
 */
export async function logitsOf(
  engine: Engine,
  batch: Batch,
  vocabularySize: number,
): Promise<Float64Array<ArrayBuffer>> {
  const logits = new Float64Array(batch.imageOfRow.length * batch.targetsLength * vocabularySize);
  const { symbols: { lrcn_logits } } = Deno.dlopen(LIBRARY_PATH, TEST_SYMBOLS);
  const library = loadLibrary();
  const { symbols } = library;
  type Evaluate = typeof symbols.lrcn_evaluate_step;
  const lrcn_evaluate_step: Evaluate = (
    ...[engine, shape, pixels, pixelsLength, features, featuresLength, ...rest]
  ) => {
    const [imageOfRow, rows, inputs, inputsLength, , , , , message, capacity] = rest;
    return lrcn_logits(
      ...[
        engine,
        shape,
        pixels,
        pixelsLength,
        features,
        featuresLength,
        imageOfRow,
        rows,
        inputs,
        inputsLength,
      ] as const,
      ...[logits, BigInt(logits.length), message, capacity] as const,
    );
  };
  const replace = (value: typeof symbols) =>
    Object.defineProperty(library, "symbols", { value, configurable: true, writable: true });
  replace({ ...symbols, lrcn_evaluate_step });
  try {
    await engine.evaluateStep(batch);
  } finally {
    replace(symbols);
  }
  return logits;
}
