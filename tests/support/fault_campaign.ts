// Tests in which each file operation fails in turn: the former state stays whole, the message names a file and the reason,
// and nothing leaks.

import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../src/input_error.ts";
import { NEEDS_FILES, temporaryFolder } from "./checkpoint_folder.ts";
import { failEachOperation, FAULT_REASONS, type Met, type Thoroughness } from "./file_faults.ts";

/** Names and digests of all files in a folder, hidden ones too. */
export async function filesIn(folder: string, inner = ""): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(join(folder, inner))) {
    const path = join(inner, name);
    if (isDirectory) Object.assign(files, { [`${path}/`]: "" }, await filesIn(folder, path));
    else {
      const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(join(folder, path)));
      files[path] = new Uint8Array(digest).toHex();
    }
  }
  return files;
}

async function emptied(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true });
  await Deno.mkdir(folder);
}

function checkMessage({ error, code, open }: Met<unknown>, folder: string): void {
  assert(error instanceof InputError, `${error instanceof Error ? error.stack : error}`);
  assert.match(error.message, FAULT_REASONS[code]);
  assert(error.message.includes(folder) && !error.message.includes("\n"), error.message);
  assert.deepEqual(open, []);
}

/** What {@linkcode faultTest} does with a folder. */
export interface FaultTest {
  /** The former state. */
  readonly before: (folder: string) => Promise<void>;
  readonly run: (folder: string) => Promise<unknown>;
  /** Fails if the files after a fault are neither the former ones, which are checked before it is called, nor allowed. */
  readonly allows?: (after: Record<string, string>, done: Record<string, string>, met: Met<unknown>) => void;
  /**
   * Operations that may fail without an error.
   *
   * @default {[]}
   */
  readonly tolerated?: readonly string[];
  /** The least number of runs that meet a fault. */
  readonly operations: number;
  /**
   * How often operations in the middle fail.
   *
   * @default {"each error"}
   */
  readonly thoroughness?: Thoroughness;
}

/** Registers a test; see {@linkcode FaultTest}. */
export function faultTest(
  name: string,
  { before, run, allows, tolerated = [], operations, thoroughness }: FaultTest,
): void {
  Deno.test({
    name,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      const { path } = folder;
      const prepare = async () => {
        await emptied(path);
        await before(path);
      };
      await prepare();
      const former = await filesIn(path);
      await run(path);
      const done = await filesIn(path);
      async function check(met: Met<unknown>): Promise<void> {
        if (met.error === undefined && tolerated.includes(met.failed)) return;
        checkMessage(met, path);
        const after = await filesIn(path);
        if (JSON.stringify(sorted(after)) === JSON.stringify(sorted(former))) return;
        assert(allows !== undefined, `the files have changed: ${Object.keys(after).join(", ")}`);
        allows(after, done, met);
      }
      const met = await failEachOperation({ prepare, run: () => run(path), check }, thoroughness);
      assert(met >= operations, `${met} runs met a fault`);
    },
  });
}

/** The files in order of their names. */
export function sorted(files: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(files).toSorted(([a], [b]) => a < b ? -1 : 1);
}

/** Allows the new file only if the last operation failed, which flushes its folder. */
export function onlyIfFlushing(
  after: Record<string, string>,
  done: Record<string, string>,
  { failed, operations }: Met<unknown>,
) {
  assert.deepEqual([failed, operations.at(-1)], ["file.sync", "file.sync"]);
  assert.deepEqual(sorted(after), sorted(done));
}
