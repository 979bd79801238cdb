import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { ABI_VERSION, symbols } from "../../../src/ffi/symbols.ts";
import { makeFolder } from "../../support/temporary_folder.ts";
import { assertRefused, canRunTasks, type Ended, PROJECT, runCommand } from "../../support/run_task.ts";

const ignore = !canRunTasks;
const FOREIGN_VERSION = ABI_VERSION + 41;

/** A library with all our functions; only the version may be called. */
const FOREIGN_SOURCE = Object.keys(symbols).map((name) =>
  name === "lrcn_abi_version"
    ? `extern "C" unsigned ${name}(void) { return ${FOREIGN_VERSION}; }`
    : `extern "C" void ${name}(void) { __builtin_trap(); }`
).join("\n");

/** Compiles a source file to a library beside it, with the build's first choice of compiler. */
async function compile(source: string): Promise<string> {
  const library = `${source}.so`;
  const compiler = (Deno.env.get("CXX")?.trim() || "c++").split(/\s+/);
  const { code, stderr } = await runCommand([...compiler, "-shared", "-fPIC", "-o", library, source], dirname(source));
  assert.equal(code, 0, stderr);
  return library;
}

/** Loads a library as a task does, in a process with permission for only that library. */
function loadIn(folder: string, library: string): Promise<Ended> {
  const command = [Deno.execPath(), "run", `--config=${PROJECT}deno.json`, `--allow-ffi=${library}`];
  return runCommand([...command, join(folder, "load.ts"), library], folder);
}

function loadingFolder(files: Record<string, string> = {}) {
  const module = (path: string) => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href);
  return makeFolder({
    "load.ts": `
      import { runTask } from ${module("cli/command.ts")};
      import { loadLibrary } from ${module("ffi/library.ts")};

      Deno.exit(await runTask(() => Promise.resolve(loadLibrary(Deno.args[0]) === undefined ? 2 : 0)));
    `,
    ...files,
  });
}

Deno.test({
  name: "loadLibrary() refuses a library with another ABI version in one line, and calls nothing else in it",
  ignore,
  async fn() {
    await using folder = await loadingFolder({ "foreign.cpp": FOREIGN_SOURCE });
    const library = await compile(join(folder.path, "foreign.cpp"));
    assertRefused(
      await loadIn(folder.path, library),
      new RegExp(
        `Cannot use the native library ${library}: its ABI has version ${FOREIGN_VERSION}, ` +
          `this program needs ${ABI_VERSION}; run deno task build\n`,
      ),
    );
  },
});

Deno.test({
  name: "loadLibrary() refuses a library that lacks a function in one line",
  ignore,
  async fn() {
    await using folder = await loadingFolder({ "old.cpp": `extern "C" unsigned lrcn_abi_version(void) { return 0; }` });
    const library = await compile(join(folder.path, "old.cpp"));
    assertRefused(
      await loadIn(folder.path, library),
      new RegExp(`Cannot load the native library ${library}: .*undefined symbol: lrcn_\\w+; run deno task build\n`),
    );
  },
});

Deno.test({
  name: "loadLibrary() refuses a missing file, and one that is not a library, in one line",
  ignore,
  async fn() {
    await using folder = await loadingFolder({ "words.so": "These are words." });
    for (const name of ["gone.so", "words.so"]) {
      const library = join(folder.path, name);
      assertRefused(
        await loadIn(folder.path, library),
        new RegExp(`Cannot load the native library ${library}: .*; run deno task build\n`),
      );
    }
  },
});
