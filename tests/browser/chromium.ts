const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Playwright inspects the system on import, which needs all permissions. */
async function mayDoAll(): Promise<boolean> {
  const names = ["read", "write", "net", "env", "sys", "run", "ffi"] as const;
  const states = await Promise.all(names.map((name) => Deno.permissions.query({ name })));
  return states.every(({ state }) => state === "granted");
}

/** Finds Chromium; undefined if there is none, or not all permissions are granted. */
export async function findChromium(): Promise<string | undefined> {
  if (!await mayDoAll()) return undefined;
  for (const path of PATHS) {
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  return undefined;
}
