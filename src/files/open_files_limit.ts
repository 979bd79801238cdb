import { fileURLToPath } from "node:url";
import { InputError } from "../input_error.ts";
import { errorCode, fileErrorReason } from "./file_error.ts";

/**
 * Checks that more files can be opened. Without permission to read there is no way to tell, and nothing is checked.
 *
 * @param count How many.
 * @param open Opens a file.
 * @throws {InputError} If fewer can.
 */
export function checkOpenFiles(count: number, open: () => Disposable = openThisFile): void {
  using files = new DisposableStack();
  try {
    for (let index = 0; index < count; index++) files.use(open());
  } catch (error) {
    if (!["EMFILE", "ENFILE"].includes(errorCode(error))) return;
    throw new InputError(`Cannot start a decoder: ${fileErrorReason(error)}`, { cause: error });
  }
}

function openThisFile(): Disposable {
  if (!import.meta.url.startsWith("file:")) return { [Symbol.dispose]: () => {} };
  const path = fileURLToPath(import.meta.url);
  // Asking for the permission would stop the program.
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return { [Symbol.dispose]: () => {} };
  return Deno.openSync(path);
}
