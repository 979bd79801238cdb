import { join, relative } from "node:path";
import { errorCode } from "../files/file_error.ts";
import { InputError } from "../input_error.ts";
import { digestBuild, isUpToDate, writeStamp } from "./build_stamp.ts";
import { compileLibrary } from "./compile_library.ts";
import { findCmake } from "./find_cmake.ts";
import { findCompiler } from "./find_compiler.ts";
import { findLibtorch } from "./find_libtorch.ts";
import { installLibtorch } from "./install_libtorch.ts";
import type { Machine } from "./machine.ts";

export interface BuildLibraryOptions {
  /** Receives one line per phase. */
  readonly report: (line: string) => void;
  /**
   * Report all output of pip, CMake and the compiler.
   *
   * @default {false}
   */
  readonly verbose?: boolean;
  /**
   * Build with AddressSanitizer and UndefinedBehaviorSanitizer, into native/build-asan.
   *
   * @default {false}
   */
  readonly sanitize?: boolean;
}

/**
 * Builds `native/build/liblrcn.so` if it is not up to date, and first installs what is missing. Builds of the same
 * project run one at a time.
 *
 * @returns Whether the library was built.
 * @throws {InputError} If something is missing or fails, with its remedy on one line.
 */
export async function buildLibrary(root: string, machine: Machine, options: BuildLibraryOptions): Promise<boolean> {
  const { report, verbose = false, sanitize = false } = options;
  if (machine.os !== "linux" || machine.arch !== "x86_64") {
    throw new InputError(
      `Cannot build the native library: it runs on Linux x86-64 and this is ${machine.os} ${machine.arch}; ` +
        "use such a machine, a container (linux/amd64) or, on Windows, WSL 2",
    );
  }
  const folder = join(root, "native", sanitize ? "build-asan" : "build");
  const done = () => {
    if (verbose) report(`build: ${relative(root, folder)}/liblrcn.so is up to date`);
    return false;
  };
  if (await isUpToDate(root, folder, machine)) return done();
  try {
    using _lock = await lock(root, report);
    if (await isUpToDate(root, folder, machine)) return done();
    await Deno.mkdir(folder, { recursive: true });
    await build(root, machine, { report, verbose, sanitize, folder });
    return true;
  } catch (error) {
    // Deno's file system errors have a code, and their message ends with the path.
    if (!(error instanceof Error) || errorCode(error) === "") throw error;
    throw new InputError(
      `Cannot write into ${join(root, "native")}: ${error.message}; make the folder writable for you, ` +
        "or put the project into a folder that is",
    );
  }
}

async function build(root: string, machine: Machine, options: Required<BuildLibraryOptions> & { folder: string }) {
  const { report, verbose, sanitize, folder } = options;
  // The compiler first: nobody should download a gigabyte only to learn that it is missing.
  const compiler = await findCompiler(machine);
  if (verbose) report(`compiler: ${compiler.description}`);

  let start = performance.now();
  let libtorch = await findLibtorch(root, machine, report);
  if (libtorch === undefined) {
    libtorch = await installLibtorch(root, machine, { report, verbose });
    report(`libtorch: installed ${libtorch.version} in ${libtorch.path}: ${secondsSince(start)}`);
  } else {
    report(`libtorch: found ${libtorch.version} in ${libtorch.path}: ${secondsSince(start)}`);
  }

  start = performance.now();
  const cmake = await findCmake(root, machine, { report, verbose });
  if (cmake.program !== "cmake") report(`cmake: ${relative(root, cmake.program)}: ${secondsSince(start)}`);

  start = performance.now();
  report(`compile: native/src with ${compiler.description}, a few minutes on 2 cores`);
  const digest = await digestBuild(root, machine, libtorch);
  const onLine = verbose
    ? (line: string) => report(`compile: ${line}`)
    : reportProgress((percent) => report(`compile: ${percent}% after ${secondsSince(start)}`));
  await compileLibrary(root, machine, { folder, libtorch, compiler, cmake, sanitize, onLine });
  await writeStamp(folder, libtorch, digest);
  report(`compile: ${relative(root, folder)}/liblrcn.so: ${secondsSince(start)}`);
}

/** Percent of the compilation from one report to the next. */
const REPORT_EVERY = 20;

/** Reads the progress from lines of make, `[ 45%] Building`, or ninja, `[12/27] Building`. */
function reportProgress(report: (percent: number) => void): (line: string) => void {
  let next = REPORT_EVERY;
  return (line) => {
    const [, percent, done, total] = /^\[\s*(?:(\d+)%|(\d+)\/(\d+))\]/.exec(line) ?? [];
    const reached = percent === undefined ? Math.floor(100 * Number(done) / Number(total)) : Number(percent);
    if (!(reached >= next) || reached >= 100) return;
    report(reached);
    next = (Math.floor(reached / REPORT_EVERY) + 1) * REPORT_EVERY;
  };
}

/** Takes the build lock. The system releases it when the process ends, however it ends. */
async function lock(root: string, report: (line: string) => void): Promise<Deno.FsFile> {
  const folder = join(root, "native", "build");
  await Deno.mkdir(folder, { recursive: true });
  const file = await Deno.open(join(folder, "lock"), { write: true, create: true });
  if (!await file.tryLock(true)) {
    report("build: waiting for another build of this project to end");
    await file.lock(true);
  }
  return file;
}

function secondsSince(start: number): string {
  const seconds = (performance.now() - start) / 1000;
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}
