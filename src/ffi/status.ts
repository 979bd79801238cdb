import { InputError } from "../input_error.ts";

/** Codes of `lrcn_status` in `native/include/lrcn.h`. */
export const STATUS = {
  OK: 0,
  INVALID_ARGUMENT: 1,
  OUT_OF_MEMORY: 2,
  DEVICE_UNAVAILABLE: 3,
  INTERNAL: 4,
  GROUP_FAILED: 5,
} as const;

/** Kinds of {@linkcode EngineError}: a mistake of the caller, or a failure inside. */
export type EngineErrorCode = "INVALID_ARGUMENT" | "INTERNAL";

/**
 * The native library refused or failed.
 *
 * @example A token beyond the vocabulary
 * ```ts
 * import assert from "node:assert/strict";
 * import { Engine, EngineError } from "@lrcn/lrcn/engine";
 *
 * using engine = await Engine.open({
 *   vocabularySize: 12, embedSize: 8, hiddenSize: 8, languageLayers: 0, fusionLayers: 1, inject: "every",
 *   encoderWidth: 8, encoderBlocks: [1, 1, 1, 1],
 * }, { device: "cpu" });
 * const images = { count: 1, height: 32, width: 32, pixels: new Uint8Array(32 * 32 * 3) };
 * using decoding = await engine.startDecoding(await engine.encode(images));
 * await assert.rejects(
 *   decoding.step(Int32Array.of(0), Int32Array.of(12), 1),
 *   (error) => error instanceof EngineError && error.code === "INVALID_ARGUMENT",
 * );
 * ```
 */
export class EngineError extends Error {
  /** The class's name; it survives minification. */
  override readonly name = "EngineError";
  /** Its kind. */
  readonly code: EngineErrorCode;

  /** Creates an error from a code and a one-line message. */
  constructor(code: EngineErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** How to make an action need less memory. */
const LESS_MEMORY: Readonly<Record<string, string>> = {
  "create the model": "lower --embed-size or --hidden-size",
  "train a step": "lower --batch-size (with --set gradientAccumulationSteps=2 for half of it) or --image-size",
};

const OTHER_MEMORY = "end other programs that use it, or use --device cpu";

/** Size of a message buffer in bytes. */
export const MESSAGE_CAPACITY = 1024;

/** Decodes NUL-terminated UTF-8. */
export function readText(buffer: Uint8Array): string {
  const end = buffer.indexOf(0);
  return new TextDecoder().decode(end < 0 ? buffer : buffer.subarray(0, end));
}

/**
 * Throws the error of a status other than OK.
 *
 * @param action For the message: "Cannot " + action.
 * @throws {InputError} If the device is missing or out of memory, with what to do, or another process is gone.
 * @throws {EngineError} Otherwise.
 */
export function checkStatus(action: string, status: number, message: Uint8Array): void {
  if (status === STATUS.OK) return;
  const text = `Cannot ${action}: ${readText(message)}`;
  switch (status) {
    case STATUS.DEVICE_UNAVAILABLE:
      throw new InputError(`${text}; use --device cpu, or build with a CUDA libtorch named by LIBTORCH`, {
        code: "DEVICE_UNAVAILABLE",
      });
    case STATUS.OUT_OF_MEMORY:
      throw new InputError(`${text}; ${LESS_MEMORY[action] ?? OTHER_MEMORY}`, { code: "OUT_OF_MEMORY" });
    case STATUS.GROUP_FAILED:
      throw new InputError(text, { code: "GROUP_FAILED" });
    default:
      throw new EngineError(status === STATUS.INVALID_ARGUMENT ? "INVALID_ARGUMENT" : "INTERNAL", text);
  }
}
