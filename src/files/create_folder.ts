import { InputError } from "../input_error.ts";
import { fileErrorReason } from "./file_error.ts";

/**
 * Creates a folder and those above it, as far as they are missing.
 *
 * @throws {InputError} If that fails; the message contains path and reason.
 */
export async function createFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot create the folder '${path}': ${fileErrorReason(error)}`, { cause: error });
  }
}
