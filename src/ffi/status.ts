/**
 * The native library's status codes and the error that carries them.
 *
 * @module
 */

import { InputError } from "../input_error.ts";

/**
 * Codes of `lrcn_status` in `native/include/lrcn.h`.
 *
 * @example What the code of an error means
 * ```ts
 * import assert from "node:assert/strict";
 * import { STATUS } from "@lrcn/lrcn";
 *
 * assert.equal(STATUS.CANCELLED, 4);
 * ```
 */
export const STATUS = {
  OK: 0,
  INVALID_ARGUMENT: 1,
  OUT_OF_MEMORY: 2,
  DEVICE_UNAVAILABLE: 3,
  CANCELLED: 4,
  INTERNAL: 5,
  GROUP_FAILED: 6,
} as const;

/**
 * The native library refused or failed.
 *
 * @example A word that the model does not have
 * ```ts
 * import assert from "node:assert/strict";
 * import { Engine, EngineError, STATUS } from "@lrcn/lrcn";
 *
 * using engine = await Engine.open({
 *   vocabularySize: 12, embedSize: 8, hiddenSize: 8, languageLayers: 0, fusionLayers: 1, inject: "every",
 *   encoderWidth: 8, encoderBlocks: [1, 1, 1, 1],
 * }, { device: "cpu" });
 * const images = { count: 1, height: 32, width: 32, pixels: new Uint8Array(32 * 32 * 3) };
 * using decoding = await engine.startDecoding(await engine.encode(images));
 * await assert.rejects(
 *   decoding.step(Int32Array.of(0), Int32Array.of(12), 1),
 *   (error) => error instanceof EngineError && error.status === STATUS.INVALID_ARGUMENT,
 * );
 * ```
 */
export class EngineError extends Error {
  /** The class's name, so that it survives bundling. */
  override readonly name = "EngineError";
  /** One of {@linkcode STATUS}. */
  readonly status: number;

  /**
   * Keeps the status beside the message.
   *
   * @param status One of {@linkcode STATUS}.
   * @param message What failed and why, one line.
   */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What makes an action need less memory. */
const LESS_MEMORY: Readonly<Record<string, string>> = {
  "create the model": "lower --embed-size or --hidden-size",
  "train a step": "lower --batch-size (--set accumulate=2 makes up for half of it) or --image-size",
};

const OTHER_MEMORY = "end other programs that use it, or use --device cpu";

/** Bytes that a call's message may take. */
export const MESSAGE_CAPACITY = 1024;

/**
 * Reads a NUL-terminated UTF-8 text.
 *
 * @param buffer The text's bytes.
 * @returns The text before the first NUL.
 */
export function readText(buffer: Uint8Array): string {
  const end = buffer.indexOf(0);
  return new TextDecoder().decode(end < 0 ? buffer : buffer.subarray(0, end));
}

/**
 * Throws what a status says, if it is not OK.
 *
 * @param action What was tried, in the infinitive: "train a step".
 * @param status The call's result.
 * @param message The buffer that the call may have filled.
 * @throws {InputError} If the device is missing or has no memory left, with what to do, or another process is gone.
 * @throws {EngineError} Otherwise.
 */
export function checkStatus(action: string, status: number, message: Uint8Array): void {
  if (status === STATUS.OK) return;
  const text = `Cannot ${action}: ${readText(message)}`;
  switch (status) {
    case STATUS.DEVICE_UNAVAILABLE:
      throw new InputError(`${text}; use --device cpu, or give the build a libtorch with CUDA by LIBTORCH`);
    case STATUS.OUT_OF_MEMORY:
      throw new InputError(`${text}; ${LESS_MEMORY[action] ?? OTHER_MEMORY}`);
    case STATUS.GROUP_FAILED:
      throw new InputError(text);
    default:
      throw new EngineError(status, text);
  }
}
