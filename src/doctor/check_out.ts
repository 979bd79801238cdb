import { fileErrorReason } from "../files/file_error.ts";
import { RunFolder } from "../pipeline/run_folder.ts";

/** Says why a new run cannot be written to `out`, which need not exist; undefined if it can. */
export async function checkOut(out: string): Promise<string | undefined> {
  try {
    await Deno.stat(new RunFolder(out).file("config"));
    return `Cannot train into '${out}': it holds a run already; choose another folder by --out`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.NotCapable) throw error;
    return `Cannot train into '${out}': ${fileErrorReason(error)}; choose another folder by --out`;
  }
}
