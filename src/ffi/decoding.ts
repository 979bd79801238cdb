import { Handle } from "./call.ts";
import type { Library } from "./library.ts";

/** The most probable next tokens of each row. */
export interface NextTokens {
  /** Token ids, rows x k, best first. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /** Their natural-log probabilities, rows x k. */
  readonly logProbabilities: Float32Array<ArrayBuffer>;
}

/**
 * Captions being decoded. It keeps its engine's model alive until it is disposed.
 *
 * @example The first two tokens of a caption, greedily
 * ```ts
 * import assert from "node:assert/strict";
 * import { Engine } from "@lrcn/lrcn/engine";
 *
 * using engine = await Engine.open({
 *   vocabularySize: 12, embedSize: 8, hiddenSize: 8, languageLayers: 0, fusionLayers: 1, inject: "every",
 *   encoderWidth: 8, encoderBlocks: [1, 1, 1, 1],
 * }, { device: "cpu", precision: "fp32", seed: 1 });
 * const images = { count: 1, height: 32, width: 32, pixels: new Uint8Array(32 * 32 * 3).fill(200) };
 * using decoding = await engine.startDecoding(await engine.encode(images));
 * const start = 2;
 * const first = await decoding.step(Int32Array.of(0), Int32Array.of(start), 1);
 * const second = await decoding.step(Int32Array.of(0), first.tokens, 1);
 * assert((second.tokens[0] ?? -1) >= 0 && (second.logProbabilities[0] ?? NaN) < 0);
 * ```
 */
export class Decoding implements Disposable {
  readonly #library: Library;
  readonly #handle: Handle;

  /** @ignore Made by {@linkcode Engine.startDecoding}. */
  constructor(library: Library, pointer: Deno.PointerObject) {
    this.#library = library;
    this.#handle = new Handle("decoding", pointer, library.symbols.lrcn_decoding_destroy);
  }

  /**
   * Runs one decoding step.
   *
   * @param parents For each row, the row of the previous step that it continues; at the first step, its image.
   * @param tokens For each row, its input token; null at the image's own step, which comes first if the image is the
   * first element of the sequence.
   * @param k Number of tokens to return for each row.
   */
  async step(parents: Int32Array<ArrayBuffer>, tokens: Int32Array<ArrayBuffer> | null, k: number): Promise<NextTokens> {
    const rows = parents.length;
    const next = new Int32Array(rows * k);
    const logProbabilities = new Float32Array(rows * k);
    await this.#handle.run("decode a token", (decoding, message) =>
      this.#library.symbols.lrcn_decode_step(
        decoding,
        rows,
        parents,
        BigInt(rows),
        tokens,
        BigInt(tokens?.length ?? 0),
        k,
        next,
        BigInt(next.length),
        logProbabilities,
        BigInt(next.length),
        message,
        message.length,
      ));
    return { tokens: next, logProbabilities };
  }

  /** Frees the state when its last call has ended. */
  [Symbol.dispose](): void {
    this.#handle[Symbol.dispose]();
  }
}
