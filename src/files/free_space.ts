import { statfs } from "node:fs/promises";

/**
 * The bytes this user may still write to a folder's file system, or undefined if unknown: that needs
 * `--allow-sys=statfs`.
 *
 * @param folder An existing folder.
 */
export async function freeBytes(folder: string): Promise<number | undefined> {
  const permission = await Deno.permissions.query({ name: "sys", kind: "statfs" });
  if (permission.state !== "granted") return undefined;
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    // Some file systems do not report it; then a full disk shows up when writing.
    return undefined;
  }
}

/** Formats a size, for example `1.6 GB`. */
export function describeBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}
