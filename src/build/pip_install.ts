import { join } from "node:path";
import { InputError } from "../input_error.ts";
import type { Machine } from "./machine.ts";
import { findPythonWithPip } from "./python.ts";

export interface PipInstallOptions {
  /** The product's name for messages: "libtorch". */
  readonly what: string;
  /** Requirements, such as "torch==2.13.0". */
  readonly packages: readonly string[];
  /** The line to report before pip starts: what is installed where, and its size. */
  readonly announcement: string;
  /** The user's alternative, for messages: "set LIBTORCH to …". */
  readonly otherwise: string;
  /** The file for pip's output. */
  readonly log: string;
  /**
   * pip options, before those of `LRCN_PIP_ARGS`.
   *
   * @default {[]}
   */
  readonly pipArgs?: readonly string[];
  /** Receives each line of progress. */
  readonly report: (line: string) => void;
  /**
   * Report all output of pip, not only downloads.
   *
   * @default {false}
   */
  readonly verbose?: boolean;
}

/**
 * Installs packages and their dependencies with `python3 -m pip`, beside the folder and renamed at the end, so that an
 * existing folder is always complete.
 *
 * @param folder The target folder; replaced if it exists.
 * @throws {InputError} If Python or pip is missing, or pip fails.
 */
export async function pipInstall(folder: string, machine: Machine, options: PipInstallOptions): Promise<void> {
  const { what, packages, announcement, otherwise, log, report, pipArgs = [], verbose = false } = options;
  const python = await findPythonWithPip(what, machine, otherwise);
  report(announcement);
  const partial = `${folder}.partial`;
  await removeFolder(partial);
  const scratch = join(partial, "scratch");
  await Deno.mkdir(scratch, { recursive: true });

  const extra = machine.env("LRCN_PIP_ARGS")?.split(/\s+/).filter((arg) => arg !== "") ?? [];
  const args = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-compile"];
  args.push("--target", join(partial, "packages"), ...pipArgs, ...extra, ...packages);
  using file = await Deno.open(log, { write: true, create: true, truncate: true });
  const encoder = new TextEncoder();
  const result = await machine.run(python.program, args, {
    // pip unpacks in TMPDIR and moves from there: on the same disk that is a rename. A user's settings for installing
    // into Python itself would contradict --target.
    env: { TMPDIR: scratch, PIP_USER: "0", PIP_REQUIRE_VIRTUALENV: "0" },
    onLine(line) {
      file.writeSync(encoder.encode(`${line}\n`));
      if (verbose || /^\s*(Downloading|Installing collected)/.test(line)) report(`${what}: pip: ${line.trim()}`);
    },
  });
  if (result?.code !== 0) {
    await removeFolder(partial);
    const lines = (result?.errors ?? "").split("\n").map((line) => line.trim()).filter((line) => line !== "");
    const last = lines.findLast((line) => line.startsWith("ERROR:")) ?? lines.at(-1) ?? "no message";
    throw new InputError(
      `Cannot install ${what}: pip failed: "${
        last.replace(/^ERROR:\s*/, "")
      }"; check the network and the space on the ` +
        `disk (LRCN_PIP_ARGS adds options of pip, ${log} has all it said), or ${otherwise}`,
    );
  }
  await removeFolder(folder);
  await Deno.rename(join(partial, "packages"), folder);
  await removeFolder(partial);
}

async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
