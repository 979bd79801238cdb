import { createHash } from "node:crypto";
import { openFile } from "./open_file.ts";

const PIECE_BYTES = 2 ** 20;

/**
 * The SHA-256 of a file in hexadecimal digits.
 *
 * @throws {InputError} If it cannot be read.
 */
export async function fileDigest(path: string): Promise<string> {
  using file = await openFile(path, { asItIs: true });
  const hash = createHash("sha256");
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    hash.update(await file.read(at, Math.min(PIECE_BYTES, file.size - at)));
  }
  return hash.digest("hex");
}
