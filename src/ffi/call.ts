/**
 * Calls of the native library and their errors.
 *
 * @module
 */

import { checkStatus, EngineError, MESSAGE_CAPACITY, STATUS } from "./status.ts";

/** A call that returns a status and may fill a message. */
export type Call = (message: Uint8Array<ArrayBuffer>) => Promise<number>;

/**
 * Makes a call and throws what it reports. Each call has a message buffer of its own, since calls run at the same time.
 *
 * @param action What is tried, in the infinitive.
 * @param call The call.
 */
export async function run(action: string, call: Call): Promise<void> {
  const message = new Uint8Array(MESSAGE_CAPACITY);
  checkStatus(action, await call(message), message);
}

/**
 * Checks a handle that a call returned.
 *
 * @param action What was tried, in the infinitive.
 * @param handle What the call returned.
 * @param status The status that it filled.
 * @param message The message that it may have filled.
 * @returns The handle.
 */
export function checkHandle(action: string, handle: Deno.PointerValue, status: Int32Array, message: Uint8Array) {
  checkStatus(action, status[0] ?? STATUS.INTERNAL, message);
  if (handle === null) throw new EngineError(STATUS.INTERNAL, `Cannot ${action}: the library returned no handle`);
  return handle;
}
