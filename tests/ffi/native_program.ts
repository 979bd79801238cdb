import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { makeFolder } from "../support/temporary_folder.ts";
import { runCommand } from "../support/run_task.ts";

const NATIVE = fileURLToPath(new URL("../../native/", import.meta.url));

/**
 * Compiles a program with the first compiler that the build would try, and runs it.
 *
 * @param sources Names in `native/src` to link; none may need libtorch.
 * @returns The lines that it prints.
 */
export async function runProgram(
  main: string,
  sources: readonly string[],
  args: readonly string[],
): Promise<string[]> {
  await using folder = await makeFolder({ "main.cpp": main });
  const [program, file] = [`${folder.path}/main`, `${folder.path}/main.cpp`];
  const compiler = (Deno.env.get("CXX")?.trim() || "c++").split(/\s+/);
  const flags = ["-std=c++20", `-I${NATIVE}include`, `-I${NATIVE}src`, "-o", program];
  const files = [file, ...sources.map((name) => `${NATIVE}src/${name}`)];
  const compiled = await runCommand([...compiler, ...flags, ...files], folder.path);
  assert.equal(compiled.code, 0, compiled.stderr);
  const { code, stdout, stderr } = await runCommand([program, ...args], folder.path);
  assert.equal(code, 0, stderr);
  return stdout.trimEnd().split("\n");
}
