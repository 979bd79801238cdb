/**
 * Reads the most memory that a process ever had, in bytes; Linux alone tells. `ru_maxrss` would start at what the process
 * that started it had.
 *
 * @param pid The process.
 */
export async function peakMemory(pid: number): Promise<number> {
  return await readMemory(pid, "VmHWM");
}

/**
 * Reads a field of a process's status in bytes; NaN if it has ended.
 *
 * @param field `VmHWM`, the peak of resident memory, or `VmRSS`, the present one.
 */
export async function readMemory(pid: number, field: "VmHWM" | "VmRSS"): Promise<number> {
  // Deno itself lets no program read /proc that may not do everything.
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/status`] }).output();
  return 1024 * Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(new TextDecoder().decode(stdout))?.[1]);
}
