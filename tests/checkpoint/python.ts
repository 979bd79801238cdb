// Python with PyTorch, if the machine has it.

import { canRun } from "../support/test_data.ts";

/** Runs Python with its own PyTorch, or with the one that the build has installed. */
export function runPython(args: readonly string[]): Promise<Deno.CommandOutput> {
  const installed = new URL("../../native/.libtorch", import.meta.url).pathname;
  return new Deno.Command("python3", { args: [...args], env: { PYTHONPATH: installed } }).output();
}

/** Whether tests may run Python, and it finds PyTorch. */
export async function pythonHasTorch(): Promise<boolean> {
  if (!canRun) return false;
  try {
    return (await runPython(["-c", "import torch"])).success;
  } catch {
    return false;
  }
}
