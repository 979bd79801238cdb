// Deno's file operations, one of which fails: as SQLite's tests do, run a function once to count its operations, then once
// for each of them and each error.

/** The errors, as Deno throws them. */
const ERRORS = {
  ENOSPC: { text: "No space left on device (os error 28)", type: Error },
  EACCES: { text: "Permission denied (os error 13)", type: Deno.errors.PermissionDenied },
  EIO: { text: "Input/output error (os error 5)", type: Error },
  EMFILE: { text: "Too many open files (os error 24)", type: Error },
} as const;

/** The code of an error. */
export type FaultCode = keyof typeof ERRORS;

/** All of them. */
export const FAULT_CODES: readonly FaultCode[] = ["ENOSPC", "EACCES", "EIO", "EMFILE"];

/** What each error's message says of it. */
export const FAULT_REASONS: Readonly<Record<FaultCode, RegExp>> = {
  ENOSPC: /the disk is full/,
  EACCES: /access is denied/,
  EIO: /the disk failed/,
  EMFILE: /too many files are open/,
};

const FUNCTIONS = [
  ...["open", "stat", "lstat", "mkdir", "rename", "link", "remove", "readFile", "readTextFile", "writeFile"],
  ...["writeTextFile", "realPath", "copyFile", "makeTempFile", "makeTempDir"],
] as const;
const METHODS = ["read", "write", "seek", "stat", "sync", "truncate", "tryLock"] as const;

type Operation = (this: unknown, ...args: unknown[]) => unknown;

/** Which operation fails, and how. */
export interface Fault {
  /** From 0. */
  readonly at: number;
  readonly code: FaultCode;
}

/** How a function ended whose file operations were watched. */
export interface Watched<Result> {
  /** Its result, or undefined if it threw. */
  readonly result: Result | undefined;
  readonly error: unknown;
  /** Names of its operations in order, such as `rename` and `file.sync`. */
  readonly operations: readonly string[];
  /** Paths of files that it opened and did not close. */
  readonly open: readonly string[];
}

/**
 * Calls a function whose file operations are counted, of which one may fail. Operations of Workers are not seen. Not for
 * tests that run at the same time.
 */
export async function watchFiles<Result>(run: () => Promise<Result>, fault?: Fault): Promise<Watched<Result>> {
  const operations: string[] = [];
  const open = new Map<Deno.FsFile, string>();

  function begin(name: string, path: string): void {
    const index = operations.push(name) - 1;
    if (fault === undefined || fault.at !== index) return;
    const { text, type } = ERRORS[fault.code];
    throw Object.assign(new type(path === "" ? text : `${text}: ${name} '${path}'`), { code: fault.code });
  }

  using restore = new DisposableStack();
  function replace(target: object, name: PropertyKey, make: (original: Operation) => Operation): void {
    const original: Operation = Reflect.get(target, name);
    Reflect.set(target, name, make(original));
    restore.defer(() => void Reflect.set(target, name, original));
  }

  for (const name of FUNCTIONS) {
    replace(Deno, name, (original) => async (...args) => {
      begin(name, String(args[0] ?? ""));
      const result = await original(...args);
      if (result instanceof Deno.FsFile) open.set(result, String(args[0]));
      return result;
    });
  }
  replace(Deno, "readDir", (original) =>
    async function* (path) {
      begin("readDir", String(path));
      yield* original(path) as AsyncIterable<Deno.DirEntry>;
    });
  const file = Deno.FsFile.prototype;
  for (const name of METHODS) {
    replace(file, name, (original) =>
      async function (this: unknown, ...args) {
        begin(`file.${name}`, "");
        return await original.apply(this, args);
      });
  }
  for (const name of ["close", Symbol.dispose]) {
    replace(file, name, (original) =>
      function (this: unknown) {
        if (this instanceof Deno.FsFile) open.delete(this);
        return original.apply(this, []);
      });
  }

  try {
    return { result: await run(), error: undefined, operations, open: [...open.values()] };
  } catch (error) {
    return { result: undefined, error, operations, open: [...open.values()] };
  }
}

/** A function under {@linkcode failEachOperation}, and what must hold. */
export interface Campaign<Result> {
  /** Puts the files into their former state; called before each run. */
  readonly prepare: () => Promise<void>;
  readonly run: () => Promise<Result>;
  /** Fails if the files are in no allowed state, or the error is not clear; called after each run that met a fault. */
  readonly check: (met: Met<Result>) => Promise<void>;
}

/** A run that met a fault. */
export interface Met<Result> extends Watched<Result> {
  readonly code: FaultCode;
  /** The operation that failed. */
  readonly failed: string;
}

/**
 * How often operations in the middle of many fail: each with each error, each with one of the errors in turn, or in turn
 * the first of several of one kind.
 */
export type Thoroughness = "each error" | "errors in turn" | "first of a kind";

/** Operations at the beginning and at the end that always fail with each error. */
const ENDS = 12;

/**
 * Lets each file operation of a function fail in turn, with each error, and checks the state that it leaves.
 *
 * @returns How many runs met a fault.
 */
export async function failEachOperation<Result>(
  { prepare, run, check }: Campaign<Result>,
  thoroughness: Thoroughness = "each error",
): Promise<number> {
  await prepare();
  const { operations, error } = await watchFiles(run);
  if (error !== undefined) throw error;
  let count = 0;
  const firsts = thoroughness === "first of a kind";
  for (const at of operations.keys()) {
    if (firsts && at > 0 && operations[at] === operations[at - 1]) continue;
    const inMiddle = firsts || (at >= ENDS && at < operations.length - ENDS);
    for (const [index, code] of FAULT_CODES.entries()) {
      if (thoroughness !== "each error" && inMiddle && index !== at % FAULT_CODES.length) continue;
      await prepare();
      const watched = await watchFiles(run, { at, code });
      const failed = watched.operations[at];
      if (failed === undefined) throw new Error(`there was no operation ${at} this time`);
      count++;
      try {
        await check({ ...watched, code, failed });
      } catch (cause) {
        const before = watched.operations.slice(Math.max(0, at - 5), at).join(", ");
        throw new Error(`operation ${at}, ${failed}, failed with ${code} after ${before}`, { cause });
      }
    }
  }
  return count;
}
