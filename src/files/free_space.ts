/**
 * What a disk has left.
 *
 * @module
 */

import { statfs } from "node:fs/promises";

/**
 * Bytes that this user may still write to a folder's file system.
 *
 * @param folder A folder that is there.
 * @returns The bytes, or undefined where they cannot be found out: this needs `--allow-sys=statfs`.
 */
export async function freeBytes(folder: string): Promise<number | undefined> {
  const permission = await Deno.permissions.query({ name: "sys", kind: "statfs" });
  if (permission.state !== "granted") return undefined;
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    // Some file systems do not tell; then writing shows it.
    return undefined;
  }
}

/**
 * Bytes as people write them.
 *
 * @param bytes How many.
 * @returns For example `1.6 GB`.
 */
export function describeBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}
