// What native/include/lrcn_test.h declares.

import assert from "node:assert/strict";
import type { Batch } from "../../src/ffi/batch.ts";
import type { Engine } from "../../src/ffi/engine.ts";
import { LIBRARY_PATH, loadLibrary } from "../../src/ffi/library.ts";
import { canLoad } from "./native.ts";

/** Each parameter with its C declaration, as in src/ffi/symbols.ts. */
export const TEST_SYMBOLS = {
  lrcn_live_handles: { parameters: [], result: "i64" },

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

// Loaded inside a test, it would be blamed on the test as a leak.
const library = canLoad ? Deno.dlopen(LIBRARY_PATH, TEST_SYMBOLS) : undefined;

function testSymbols() {
  assert(library !== undefined, "the native library may not be loaded");
  return library.symbols;
}

/** Returns the number of engines, groups and decodings that are not freed. */
export function liveHandles(): bigint {
  return testSymbols().lrcn_live_handles();
}

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
  const { lrcn_logits } = testSymbols();
  const engines = loadLibrary();
  const { symbols } = engines;
  type Evaluate = typeof symbols.lrcn_evaluate_step;
  const lrcn_evaluate_step: Evaluate = (...call) => {
    const [engine, shape, pixels, pixelsLength, features, featuresLength, images, rows, inputs, inputsLength] = call;
    const [message, capacity] = [call[14], call[15]];
    const given = [engine, shape, pixels, pixelsLength, features, featuresLength, images, rows, inputs] as const;
    return lrcn_logits(...given, inputsLength, logits, BigInt(logits.length), message, capacity);
  };
  const replace = (value: typeof symbols) =>
    Object.defineProperty(engines, "symbols", { value, configurable: true, writable: true });
  replace({ ...symbols, lrcn_evaluate_step });
  try {
    await engine.evaluateStep(batch);
  } finally {
    replace(symbols);
  }
  return logits;
}
