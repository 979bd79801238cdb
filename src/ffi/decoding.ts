/**
 * Captions being written, word by word.
 *
 * @module
 */

import { Handle } from "./call.ts";
import type { Library } from "./library.ts";

/** The most probable next words of each row. */
export interface NextTokens {
  /** Word ids, rows x k, best first. */
  readonly words: Int32Array<ArrayBuffer>;
  /** Their natural-log probabilities, rows x k. */
  readonly logProbabilities: Float32Array<ArrayBuffer>;
}

/**
 * Captions being written. It keeps its engine's model alive until it is disposed.
 *
 * @example The first two words of a caption, greedily
 * ```ts
 * import assert from "node:assert/strict";
 * import { Engine } from "@lrcn/lrcn";
 *
 * using engine = await Engine.open({
 *   vocabularySize: 12, embedSize: 8, hiddenSize: 8, languageLayers: 0, fusionLayers: 1, inject: "every",
 *   encoderWidth: 8, encoderBlocks: [1, 1, 1, 1],
 * }, { device: "cpu", precision: "fp32", seed: 1 });
 * const images = { count: 1, height: 32, width: 32, pixels: new Uint8Array(32 * 32 * 3).fill(200) };
 * using decoding = await engine.startDecoding(await engine.encode(images));
 * const start = 2;
 * const first = await decoding.step(Int32Array.of(0), Int32Array.of(start), 1);
 * const second = await decoding.step(Int32Array.of(0), first.words, 1);
 * assert((second.words[0] ?? -1) >= 0 && (second.logProbabilities[0] ?? NaN) < 0);
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
   * Goes on by one word in each row.
   *
   * @param parents For each row, the row of the last step that it continues; at the first step, its image.
   * @param words For each row, the word it is given; null at the image's own step, the first where the image is the
   * sequence's first element.
   * @param k How many words to return for each row.
   * @returns The k most probable next words of each row.
   */
  async step(parents: Int32Array<ArrayBuffer>, words: Int32Array<ArrayBuffer> | null, k: number): Promise<NextTokens> {
    const rows = parents.length;
    const next = new Int32Array(rows * k);
    const logProbabilities = new Float32Array(rows * k);
    await this.#handle.run("decode a word", (decoding, message) =>
      this.#library.symbols.lrcn_decode_step(
        decoding,
        rows,
        parents,
        BigInt(rows),
        words,
        BigInt(words?.length ?? 0),
        k,
        next,
        BigInt(next.length),
        logProbabilities,
        BigInt(next.length),
        message,
        message.length,
      ));
    return { words: next, logProbabilities };
  }

  /** Frees the state when its last call has ended; a second time does nothing. */
  [Symbol.dispose](): void {
    this.#handle[Symbol.dispose]();
  }
}
