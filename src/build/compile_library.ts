import { join, relative } from "node:path";
import { InputError } from "../input_error.ts";
import type { Cmake } from "./find_cmake.ts";
import type { Compiler } from "./find_compiler.ts";
import { exists, type Libtorch } from "./libtorch.ts";
import type { Machine, RunResult } from "./machine.ts";

export interface CompileLibraryOptions {
  /** The build folder, such as native/build. */
  readonly folder: string;
  readonly libtorch: Libtorch;
  readonly compiler: Compiler;
  readonly cmake: Cmake;
  /** Compile with AddressSanitizer and UndefinedBehaviorSanitizer. */
  readonly sanitize: boolean;
  /**
   * Receives each line of output of CMake and the compiler.
   *
   * @default {undefined}
   */
  readonly onLine?: ((line: string) => void) | undefined;
}

/**
 * Configures and builds `liblrcn.so`, under another name until it is complete. Writes all output to `build.log`.
 *
 * @throws {InputError} If CMake or the compiler fails (the message contains the first error), or CUDA was not linked.
 */
export async function compileLibrary(root: string, machine: Machine, options: CompileLibraryOptions): Promise<void> {
  const { folder, libtorch, compiler, cmake } = options;
  const tree = join(folder, "cmake");
  const log = join(folder, "build.log");
  const configure = ["-S", join(root, "native"), "-B", tree, ...cmake.generator];
  configure.push(`-DTORCH_DIR=${libtorch.path}`, `-DLRCN_SANITIZE=${options.sanitize ? "ON" : "OFF"}`);
  await keepMatchingTree(tree, JSON.stringify([root, compiler, cmake.program, configure]));
  configure.push(`-DLRCN_COMMIT=${await commitOf(root, machine)}`);

  using file = await Deno.open(log, { write: true, create: true, truncate: true });
  const encoder = new TextEncoder();
  const env = { CXX: compiler.command, LC_ALL: "C" };
  const onLine = (line: string) => {
    file.writeSync(encoder.encode(`${line}\n`));
    options.onLine?.(line);
  };
  for (const args of [configure, ["--build", tree, "--parallel", String(machine.jobs)]]) {
    const result = await machine.run(cmake.program, args, { env, onLine });
    if (result?.code !== 0) throw failure(result, root, relative(root, log));
  }

  await Deno.copyFile(join(tree, "liblrcn.so"), join(folder, "liblrcn.so.partial"));
  await checkCudaIsLinked(join(folder, "liblrcn.so.partial"), libtorch, machine);
  await Deno.rename(join(folder, "liblrcn.so.partial"), join(folder, "liblrcn.so"));
}

/** Removes a build tree with another configuration: CMake would keep its compiler and libtorch. */
async function keepMatchingTree(tree: string, configuration: string): Promise<void> {
  const note = join(tree, "lrcn-configuration.json");
  if (await exists(tree)) {
    const former = await exists(note) ? await Deno.readTextFile(note) : "";
    if (former === configuration) return;
    await Deno.remove(tree, { recursive: true });
  }
  await Deno.mkdir(tree, { recursive: true });
  await Deno.writeTextFile(note, configuration);
}

async function commitOf(root: string, machine: Machine): Promise<string> {
  const result = await machine.run("git", ["-C", root, "describe", "--always", "--dirty", "--abbrev=12"]);
  return result?.code === 0 ? result.output.trim() : "unknown";
}

function failure(result: RunResult | undefined, root: string, log: string): InputError {
  const lines = `${result?.output ?? ""}\n${result?.errors ?? ""}`.split("\n").map((line) => line.trim());
  // Errors of GCC, the linker and ninja; CMake writes "CMake Error at FILE:" and the reason below.
  const at = lines.findIndex((line) => /\berror:|undefined reference|CMake Error|No space left/i.test(line));
  const below = lines.slice(at).filter((line) => line !== "");
  const reason = below[0]?.startsWith("CMake Error")
    ? below.slice(1, below[1]?.endsWith(":") ? 3 : 2)
    : below.slice(0, 1);
  const message = (reason.join(" ") || "no message").replaceAll(`${root}/`, "");
  const remedy = /Killed/.test(message) ? "the machine ran out of memory: close other programs and try again; " : "";
  return new InputError(`Cannot compile the native library: ${message}; ${remedy}the whole log is in ${log}`);
}

async function checkCudaIsLinked(library: string, libtorch: Libtorch, machine: Machine): Promise<void> {
  if (!await exists(join(libtorch.path, "lib", "libtorch_cuda.so"))) return;
  const result = await machine.run("readelf", ["-d", library], { env: { LC_ALL: "C" } });
  if (result?.code !== 0 || /NEEDED.*\[libtorch_cuda\.so\]/.test(result.output)) return;
  throw new InputError(
    "Cannot link CUDA: the linker dropped libtorch_cuda.so, so that no GPU would be seen; " +
      "remove -Wl,--as-needed from LDFLAGS, or name another compiler in CXX",
  );
}
