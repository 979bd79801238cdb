// Folders that live as long as a test.

import { dirname, join } from "node:path";

/** A folder that is removed at the end of its scope. */
export interface TemporaryFolder extends AsyncDisposable {
  /** Where it is. */
  readonly path: string;
}

/** Makes a folder with files in it. */
export async function makeFolder(files: Readonly<Record<string, string | Uint8Array>>): Promise<TemporaryFolder> {
  const path = await Deno.makeTempDir();
  for (const [name, content] of Object.entries(files)) {
    await Deno.mkdir(dirname(join(path, name)), { recursive: true });
    await Deno.writeFile(join(path, name), typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
