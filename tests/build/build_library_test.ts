import assert from "node:assert/strict";
import { join } from "node:path";
import { buildLibrary } from "../../src/build/build_library.ts";
import type { Machine } from "../../src/build/machine.ts";
import { InputError } from "../../src/input_error.ts";
import { canRead, canWrite } from "../support/test_data.ts";
import {
  compilerOf,
  fakeCmake,
  type FakeMachine,
  fakePip,
  type FakeProgram,
  makeProject,
  python,
  soundMachine,
  writeFiles,
  writeLibtorch,
} from "./fake_machine.ts";

const ignore = !canRead || !canWrite;

/** Builds and returns the reported lines. */
async function build(root: string, machine: Machine, options: { sanitize?: boolean; verbose?: boolean } = {}) {
  const lines: string[] = [];
  await buildLibrary(root, machine, { ...options, report: (line) => lines.push(line) });
  return lines.join("\n");
}

/** The one line with which a build fails. */
async function failure(root: string, fake: FakeMachine): Promise<string> {
  try {
    await build(root, soundMachine(fake));
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    assert.doesNotMatch(error.message, /\n|\.$/, "one line, no final period");
    return error.message;
  }
  throw new Error("The build did not fail");
}

Deno.test("buildLibrary() installs libtorch if there is none, and keeps a complete library", { ignore }, async () => {
  await using project = await makeProject();
  const machine = soundMachine();
  const report = await build(project.root, machine);
  assert.match(report, /libtorch: installing 2\.13\.0 .*200 MB/);
  assert.match(report, /libtorch: installed 2\.13\.0\+cpu in .*: 0\.\d s/);
  assert.match(report, /compile: native\/build\/liblrcn\.so: 0\.\d s/);
  assert.equal(await Deno.readTextFile(join(project.root, "native/build/liblrcn.so")), "a library");
  const pip = machine.calls.find((call) => call.includes("pip install"));
  assert.match(pip ?? "", /^python3 -m pip install --no-input .*--extra-index-url \S+\/whl\/cpu .*torch==2\.13\.0$/);
});

for (
  const [generator, lines] of [
    ["make", ["[  4%] Building", "[ 25%] Building", "[ 33%] Building", "[ 95%] Linking", "[100%] Built target lrcn"]],
    ["ninja", ["[1/24] Building", "[6/24] Building", "[8/24] Building", "[23/24] Linking", "[24/24] Linking"]],
  ] as const
) {
  Deno.test(`buildLibrary() reports the compiler's progress, as ${generator} prints it`, { ignore }, async () => {
    await using project = await makeProject();
    const cmake: FakeProgram = async (args) => ({
      ...await fakeCmake(args),
      ...(args.includes("--build") && { output: lines.join("\n") }),
    });
    const report = await build(project.root, soundMachine({ programs: { cmake } }));
    assert.deepEqual(report.match(/\d+% after/g), ["25% after", "95% after"]);
  });
}

Deno.test(
  "buildLibrary() takes the default wheel if it sees an NVIDIA GPU, and adds LRCN_PIP_ARGS",
  { ignore },
  async () => {
    await using project = await makeProject();
    const machine = soundMachine({
      env: { LRCN_PIP_ARGS: " --no-index  --find-links=wheels " },
      programs: { "nvidia-smi": () => ({ output: "580.65.06\n580.65.06\n" }) },
    });
    assert.match(await build(project.root, machine), /with CUDA .*several GB/);
    const pip = machine.calls.find((call) => call.includes("pip install"));
    assert.match(pip ?? "", /packages --no-index --find-links=wheels torch==2\.13\.0$/);
  },
);

Deno.test(
  "buildLibrary() says if the NVIDIA driver is too old for CUDA, and builds for the CPU",
  { ignore },
  async () => {
    for (const output of ["579.99\n", "470.42.01\n"]) {
      await using project = await makeProject();
      const machine = soundMachine({ programs: { "nvidia-smi": () => ({ output }) } });
      const report = await build(project.root, machine);
      assert.match(report, new RegExp(`the NVIDIA driver is ${output.trim()}, and CUDA 13 needs 580 or newer`));
      assert.match(report, /for the CPU: about 200 MB/);
    }
    await using project = await makeProject();
    const failing = { "nvidia-smi": () => ({ code: 9, output: "NVIDIA-SMI has failed since 12.1 is not there" }) };
    assert.doesNotMatch(await build(project.root, soundMachine({ programs: failing })), /driver/);
  },
);

Deno.test("buildLibrary() takes LIBTORCH before the Python's torch, and that before its own", { ignore }, async () => {
  await using project = await makeProject();
  const { root } = project;
  await writeLibtorch(join(root, "named"), "2.11.0+cu130");
  await writeLibtorch(join(root, "site/torch"), "2.12.1");
  await writeLibtorch(join(root, "native/.libtorch/torch"), "2.13.0");
  const programs = { python3: python({ torch: join(root, "site/torch") }) };
  const env = { LIBTORCH: join(root, "named") };
  assert.match(await build(root, soundMachine({ env, programs })), /libtorch: found 2\.11\.0\+cu130 in \S+named/);
  assert.match(
    await build(root, soundMachine({ env: { LIBTORCH: "" }, programs })),
    /found 2\.12\.1 in \S+site\/torch/,
  );
  assert.match(
    await build(root, soundMachine(), { sanitize: true }),
    /libtorch: found 2\.13\.0 in \S+\.libtorch\/torch/,
  );
});

Deno.test("buildLibrary() resolves LIBTORCH relative to the user's working folder", { ignore }, async () => {
  await using project = await makeProject();
  await writeLibtorch(join(project.root, "elsewhere/libtorch"), "2.13.0");
  const env = { LIBTORCH: "libtorch", INIT_CWD: join(project.root, "elsewhere") };
  assert.match(await build(project.root, soundMachine({ env })), /found 2\.13\.0 in \S+elsewhere\/libtorch/);
});

Deno.test(
  "buildLibrary() skips a torch of another version or without headers, with a line",
  { ignore },
  async () => {
    await using project = await makeProject();
    const torch = join(project.root, "site/torch");
    await writeLibtorch(torch, "2.5.1");
    const programs = { python3: python({ torch }) };
    assert.match(
      await build(project.root, soundMachine({ programs })),
      /skipped 2\.5\.1 .*2\.11 to 2\.13 are supported\n/,
    );
    await Deno.remove(join(torch, "include"), { recursive: true });
    const options = { sanitize: true };
    assert.match(await build(project.root, soundMachine({ programs }), options), /skipped .*it has no headers/);
  },
);

Deno.test("buildLibrary() installs cmake and ninja if the machine has no cmake or no build program for it", {
  ignore,
}, async () => {
  for (const missing of ["cmake", "ninja"]) {
    await using project = await makeProject();
    const machine = soundMachine({ programs: { [missing]: undefined } });
    assert.match(await build(project.root, machine), /cmake: installing cmake and ninja into native\/\.cmake/);
    assert.ok(machine.calls.some((call) => /\.cmake\/cmake\/data\/bin\/cmake --build/.test(call)));
  }
});

Deno.test("buildLibrary() runs no program and says nothing when nothing has changed", { ignore }, async () => {
  await using project = await makeProject();
  await build(project.root, soundMachine());
  const machine = soundMachine();
  assert.equal(await build(project.root, machine), "");
  assert.match(await build(project.root, machine, { verbose: true }), /^build: \S+ is up to date$/);
  assert.deepEqual(machine.calls, []);
});

Deno.test(
  "buildLibrary() builds again after a source, an option, the library or libtorch has changed",
  { ignore },
  async () => {
    await using project = await makeProject();
    const { root } = project;
    await build(root, soundMachine());
    const changes: Record<string, () => Promise<unknown>> = {
      source: () => writeFiles(root, { "native/src/abi.cpp": "// more" }),
      "new file": () => writeFiles(root, { "native/include/more.h": "" }),
      library: () => Deno.remove(join(root, "native/build/liblrcn.so")),
      stamp: () => writeFiles(root, { "native/build/stamp.json": "{" }),
      libtorch: () => writeLibtorch(join(root, "native/.libtorch/torch"), "2.12.0"),
    };
    for (const [name, change] of Object.entries(changes)) {
      await change();
      assert.match(await build(root, soundMachine()), /compile: native\/build\/liblrcn\.so/, name);
      assert.equal(await build(root, soundMachine()), "", name);
    }
    const other = () => soundMachine({ env: { CXX: "other" }, programs: { other: compilerOf("14.1.0") } });
    assert.match(await build(root, other()), /with other 14\.1\.0/);
  },
);

Deno.test("buildLibrary() does not take an interrupted installation for a whole one", { ignore }, async () => {
  await using project = await makeProject();
  const killed = python({
    async pip(args) {
      await fakePip(args);
      throw new Error("killed");
    },
  });
  await assert.rejects(build(project.root, soundMachine({ programs: { python3: killed } })), /killed/);
  assert.match(await build(project.root, soundMachine()), /libtorch: installing/);
});

Deno.test("buildLibrary() lets a second build wait for the first, and then do nothing", { ignore }, async () => {
  await using project = await makeProject();
  const first = soundMachine();
  const second = soundMachine();
  const reports = await Promise.all([build(project.root, first), build(project.root, second)]);
  assert.match(reports.join("\n"), /build: waiting for another build/);
  const builds = [...first.calls, ...second.calls].filter((call) => call.startsWith("cmake --build"));
  assert.equal(builds.length, 1);
});

Deno.test("buildLibrary() names what is missing and the remedy, in one line", { ignore }, async (test) => {
  await using project = await makeProject();
  const { root } = project;
  await writeLibtorch(join(root, "old"), "2.5.1+cpu");
  const pip = () => ({ code: 1, errors: "WARNING: x\nERROR: No matching distribution found\nnote: y" });
  const compiler = (args: readonly string[]) =>
    args[0] === "--version" ? { output: "cmake version 3.25.1" } : {
      code: 1,
      output: `[1/2] x\n${root}/native/src/abi.cpp:3:1: error: 'x' was not declared\nninja: error: stopped`,
    };
  const cases: [string, FakeMachine, RegExp][] = [
    ["another system", { os: "darwin", arch: "aarch64" }, /Linux x86-64 and this is darwin aarch64; use .*container/],
    ["no compiler", { programs: { "c++": undefined } }, /no C\+\+ compiler is installed; install g\+\+ 12 or newer/],
    ["an old compiler", { programs: { "c++": compilerOf("11.4.0") } }, /c\+\+ 11\.4\.0 is too old; install g\+\+ 12/],
    [
      "CXX that is not a compiler",
      { env: { CXX: "nothing" } },
      /CXX="nothing" is not a C\+\+ compiler; install g\+\+ 12/,
    ],
    ["no Python", { programs: { python3: undefined } }, /python3 is missing; install Python 3\.10 .*set LIBTORCH/],
    [
      "an old Python",
      { programs: { python3: python({ version: "3.8.10" }) } },
      /python3 is 3\.8\.10; install Python 3\.10/,
    ],
    ["no pip", { programs: { python3: python({ pip: undefined }) } }, /python3 has no pip; install it .*set LIBTORCH/],
    [
      "a failing pip",
      { programs: { python3: python({ pip }) } },
      /pip failed: "No matching distribution found"; check/,
    ],
    [
      "neither cmake nor pip",
      { env: { LIBTORCH: "good" }, programs: { cmake: undefined, python3: python({ pip: undefined }) } },
      /Cannot install cmake: python3 has no pip; .*or install cmake 3\.18 or newer and make/,
    ],
    [
      "LIBTORCH that is not a libtorch",
      { env: { LIBTORCH: "none" } },
      /LIBTORCH="\S+none": the folder has no .*or unset LIBTORCH/,
    ],
    ["LIBTORCH too old", { env: { LIBTORCH: "old" } }, /its version is 2\.5\.1\+cpu, and 2\.11 to 2\.13 are supported/],
    [
      "a compile error",
      { env: { LIBTORCH: "good" }, programs: { cmake: compiler } },
      /: native\/src\/abi\.cpp:3:1: error: 'x' was not declared; the whole log is in native\/build\/build\.log$/,
    ],
  ];
  await writeLibtorch(join(root, "good"), "2.13.0");
  for (const [name, fake, message] of cases) {
    await test.step(name, async () => {
      assert.match(await failure(root, fake), message);
      assert.ok(!(await names(join(root, "native"))).includes(".libtorch"), "nothing half-installed");
      assert.ok(!(await names(join(root, "native/build"))).includes("liblrcn.so"), "nothing half-built");
    });
  }
});

Deno.test("buildLibrary() says which folder it cannot write into", { ignore }, async () => {
  await using project = await makeProject();
  await writeFiles(project.root, { "native/build": "a file where a folder should be" });
  const message = await failure(project.root, {});
  assert.match(message, /^Cannot write into \S+native: .*native\/build.*; make the folder writable/);
});

Deno.test("buildLibrary() rejects a library from which the linker dropped CUDA", { ignore }, async () => {
  await using project = await makeProject();
  const { root } = project;
  await writeLibtorch(join(root, "cuda"), "2.13.0+cu130");
  await writeFiles(root, { "cuda/lib/libtorch_cuda.so": "" });
  const env = { LIBTORCH: "cuda" };
  const needed = (name: string) => ({ readelf: () => ({ output: ` (NEEDED)  Shared library: [${name}]` }) });
  assert.match(await failure(root, { env, programs: needed("libtorch.so") }), /the linker dropped libtorch_cuda\.so/);
  await build(root, soundMachine({ env, programs: needed("libtorch_cuda.so") }));
});

async function names(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name);
  } catch {
    return [];
  }
}
