// Tasks run as `deno.json` has them, each in a process of its own.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { LIBRARY_PATH } from "../../src/ffi/library.ts";
import { canRead, canRun, canWrite } from "./test_data.ts";
import config from "../../deno.json" with { type: "json" };

/** The project's root, where `deno task` runs its commands. */
export const PROJECT: string = fileURLToPath(new URL("../..", import.meta.url));

/** A process that takes longer hangs. */
const DEADLINE_MS = 60_000;

async function libraryIsUsable(): Promise<boolean> {
  if ((await Deno.permissions.query({ name: "ffi", path: LIBRARY_PATH })).state !== "granted") return false;
  return await Deno.stat(LIBRARY_PATH).then(({ isFile }) => isFile, () => false);
}

/** Whether tests may run tasks here: with all their permissions, and with the library built. */
export const canRunTasks: boolean = canRead && canWrite && canRun && await libraryIsUsable();

/** The tasks that a user calls. */
export type TaskName =
  | "train"
  | "caption"
  | "explain"
  | "doctor"
  | "evaluate"
  | "retrieve"
  | "serve"
  | "label"
  | "inspect"
  | "export"
  | "report"
  | "runs";

/** The words of a task's command in `deno.json`, "deno" first. */
export function commandOf(task: keyof typeof config.tasks): string[] {
  return config.tasks[task].command.split(" ");
}

/** Options of {@linkcode startTask}. */
export interface StartTaskOptions {
  /** The user's working folder. */
  readonly folder: string;
  /**
   * A word of the command to leave out.
   *
   * @default {undefined}
   */
  readonly without?: string;
  /**
   * A program and its first arguments that run the command.
   *
   * @default {none}
   */
  readonly under?: readonly string[];
  /**
   * Variables that the process sees besides.
   *
   * @default {none}
   */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a process ended. */
export interface Ended {
  /** Its exit code; 128 and more if a signal ended it. */
  readonly code: number;
  /** What it printed. */
  readonly stdout: string;
  /** What it printed as errors. */
  readonly stderr: string;
}

/** A running task. */
export interface RunningTask {
  /** Waits until a pattern matches its output on either stream, and returns the match; fails if it ends before. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Presses Ctrl-C, or sends another signal. */
  press(signal?: Deno.Signal): void;
  /** Kills it at once, if it has not ended. */
  kill(): void;
  /** Waits for its end. */
  readonly ended: Promise<Ended>;
}

/** Starts a task with the flags that it has in `deno.json`, without a terminal. */
export function startTask(task: TaskName, args: readonly string[], options: StartTaskOptions): RunningTask {
  const { folder, without, under = [], env } = options;
  const [, ...flags] = commandOf(task).filter((word) => word !== without);
  return start([...under, Deno.execPath(), ...flags, ...args], folder, env);
}

/** Runs a task to its end; see {@linkcode startTask}. */
export function runTask(task: TaskName, args: readonly string[], options: StartTaskOptions): Promise<Ended> {
  return startTask(task, args, options).ended;
}

/** Runs a program to its end, in the project's root. */
export function runCommand(command: readonly string[], folder: string): Promise<Ended> {
  return start(command, folder).ended;
}

function start(
  [program = "", ...args]: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): RunningTask {
  const child = new Deno.Command(program, {
    args,
    cwd: PROJECT,
    env: { INIT_CWD: folder, NO_COLOR: "1", CUDA_VISIBLE_DEVICES: "", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const texts = { stdout: "", stderr: "" };
  const watchers = new Set<() => void>();

  async function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>, name: keyof typeof texts): Promise<void> {
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      texts[name] += piece;
      for (const watcher of watchers) watcher();
    }
  }

  async function end(): Promise<Ended> {
    const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
    const [{ code }] = await Promise.all([
      child.status,
      collect(child.stdout, "stdout"),
      collect(child.stderr, "stderr"),
    ]);
    clearTimeout(timer);
    return { code, ...texts };
  }

  const ended = end();
  return {
    ended,
    press: (signal = "SIGINT") => child.kill(signal),
    kill() {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
    },
    async printed(pattern) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const watcher = () => {
        if (pattern.test(texts.stdout) || pattern.test(texts.stderr)) resolve();
      };
      watchers.add(watcher);
      watcher();
      await Promise.race([promise, ended]);
      watchers.delete(watcher);
      const { stdout, stderr } = texts;
      const match = stdout.match(pattern) ?? stderr.match(pattern);
      assert(match !== null, `${pattern} was not printed in:\n${stdout}\n${stderr}`);
      return match;
    },
  };
}

/** Standard error without the lines about the model, of which tests with models of one epoch say that it ignores images. */
export function withoutModelLines(stderr: string): string {
  return stderr.replaceAll(/^(?:Model: |Warning: the model '.*' ignores its images: ).*\n/gm, "");
}

/** Fails if a process did not succeed, or warned. */
export function assertDone({ code, stdout, stderr }: Ended): void {
  assert.deepEqual({ code, stderr: withoutModelLines(stderr) }, { code: 0, stderr: "" }, `after printing:\n${stdout}`);
}

/** Fails if wrong input did not give exit code 1 and only one line on stderr, which the pattern matches. */
export function assertRefused({ code, stdout, stderr: all }: Ended, pattern: RegExp): void {
  const stderr = withoutModelLines(all);
  assert.match(stderr, /^error: [^\n]+\n$/);
  assert.match(stderr, pattern);
  assert.doesNotMatch(stderr, /at file:\/\/|at async|Error:/);
  assert.equal(code, 1);
  assert.doesNotMatch(stdout, /at file:\/\//);
}
