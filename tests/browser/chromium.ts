/**
 * The browser of this machine.
 *
 * @module
 */

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Playwright looks at the whole system when it is imported, which only a program with all permissions may. */
async function mayDoAll(): Promise<boolean> {
  const names = ["read", "write", "net", "env", "sys", "run", "ffi"] as const;
  const states = await Promise.all(names.map((name) => Deno.permissions.query({ name })));
  return states.every(({ state }) => state === "granted");
}

/** Finds a Chromium that tests may start; undefined where there is none, or not all permissions are given. */
export async function findChromium(): Promise<string | undefined> {
  if (!await mayDoAll()) return undefined;
  for (const path of PLACES) {
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  return undefined;
}
