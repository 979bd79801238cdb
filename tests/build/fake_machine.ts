// A machine made of a table of programs, and project folders to build in.

import { join } from "node:path";
import type { Machine, RunOptions, RunResult } from "../../src/build/machine.ts";

/** A fake program; missing fields of the result mean success without output. */
export type FakeProgram = (
  args: readonly string[],
  options: RunOptions,
) => Partial<RunResult> | Promise<Partial<RunResult>>;

/** A fake machine: the differences from {@linkcode soundMachine}. */
export interface FakeMachine {
  readonly os?: string;
  readonly arch?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The programs; undefined takes one away. */
  readonly programs?: Readonly<Record<string, FakeProgram | undefined>>;
}

/** A machine with everything except torch; `calls` lists the programs it ran. */
export function soundMachine(fake: FakeMachine = {}): Machine & { readonly calls: string[] } {
  const programs: Record<string, FakeProgram | undefined> = {
    "c++": compilerOf("12.2.0"),
    python3: python({}),
    cmake: fakeCmake,
    ninja: () => ({ output: "1.11.0" }),
    ...fake.programs,
  };
  const calls: string[] = [];
  return {
    os: fake.os ?? "linux",
    arch: fake.arch ?? "x86_64",
    jobs: 1,
    calls,
    env: (name) => fake.env?.[name],
    async run(program, args, options = {}) {
      calls.push([program, ...args].join(" "));
      const action = programs[program] ?? (program.endsWith("/bin/cmake") ? fakeCmake : undefined);
      if (action === undefined) return undefined;
      const result = { code: 0, output: "", errors: "", ...await action(args, options) };
      `${result.output}\n${result.errors}`.split("\n").forEach((line) => options.onLine?.(line));
      return result;
    },
  };
}

/** A g++ of a version. */
export function compilerOf(version: string): FakeProgram {
  return () => ({ output: `c++ (Some Linux) ${version}\nFree software` });
}

/** What a Python of a fake machine has; a pip that writes nothing but the packages asked for. */
export interface FakePython {
  readonly version?: string;
  readonly torch?: string;
  readonly pip?: FakeProgram | undefined;
}

/** A Python: with pip, unless `pip` is given as undefined. */
export function python(fake: FakePython): FakeProgram {
  const pip = "pip" in fake ? fake.pip : fakePip;
  return (args, options) => {
    if (args[0] === "-c") return { output: `${fake.version ?? "3.11.2"}\n${fake.torch ?? ""}` };
    if (pip === undefined) return { code: 1, errors: "No module named pip" };
    return args[2] === "install" ? pip(args, options) : { output: "pip 23.0" };
  };
}

/** pip: installs torch 2.13.0, or CMake and ninja, into the folder after --target. */
export async function fakePip(args: readonly string[]): Promise<Partial<RunResult>> {
  const target = args[args.indexOf("--target") + 1] ?? "";
  if (args.includes("cmake")) {
    await writeFiles(target, { "cmake/data/bin/cmake": "", "bin/ninja": "" });
  } else {
    await writeLibtorch(join(target, "torch"), "2.13.0+cpu");
  }
  return { output: "  Downloading something.whl (1 kB)" };
}

export async function fakeCmake(args: readonly string[]): Promise<Partial<RunResult>> {
  if (args[0] === "--version") return { output: "cmake version 3.25.1" };
  if (args[0] === "--build") await writeFiles(args[1] ?? "", { "liblrcn.so": "a library" });
  return {};
}

/** Writes a folder that looks like Python's torch of a version. */
export async function writeLibtorch(folder: string, version: string): Promise<void> {
  await writeFiles(folder, {
    "include/ATen/ATen.h": "",
    "lib/libtorch_cpu.so": "",
    "version.py": `__version__ = '${version}'\n`,
  });
}

/** Makes an empty project whose folder is removed at the end of the scope. */
export async function makeProject(): Promise<AsyncDisposable & { readonly root: string }> {
  const root = await Deno.makeTempDir();
  await writeFiles(root, { "native/CMakeLists.txt": "", "native/include/lrcn.h": "", "native/src/abi.cpp": "" });
  return { root, [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
}

/** Writes files with their folders. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(join(folder, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder, name), text);
  }
}
