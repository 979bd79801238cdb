import type { Machine, RunOptions, RunResult } from "./machine.ts";

/** Memory of one compiler process on libtorch's headers in bytes, with room to spare. */
const MEMORY_PER_COMPILER = 1.5 * 2 ** 30;

/** The machine that this process runs on. */
export function localMachine(): Machine {
  const byMemory = Math.floor(Deno.systemMemoryInfo().available / MEMORY_PER_COMPILER);
  return {
    os: Deno.build.os,
    arch: Deno.build.arch,
    jobs: Math.max(1, Math.min(navigator.hardwareConcurrency, byMemory)),
    env: (name) => Deno.env.get(name),
    run,
  };
}

async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult | undefined> {
  let child;
  try {
    child = new Deno.Command(program, {
      args: [...args],
      env: { ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
  const [status, output, errors] = await Promise.all([
    child.status,
    readLines(child.stdout, options.onLine),
    readLines(child.stderr, options.onLine),
  ]);
  return { code: status.code, output, errors };
}

async function readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>, onLine?: (line: string) => void) {
  const lines: string[] = [];
  let rest = "";
  const take = (line: string) => {
    lines.push(line);
    onLine?.(line);
  };
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    parts.forEach(take);
  }
  if (rest !== "") take(rest);
  return lines.join("\n");
}
