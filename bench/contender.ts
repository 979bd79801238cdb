/**
 * A program under measurement, in a process of its own: it prints a line of JSON once it is ready, and then one for each
 * line that it is sent, with what it measured.
 *
 * @module
 */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { peakMemory } from "./peak_memory.ts";

/** How a contender is started. */
export interface ContenderOptions {
  /** The program. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /**
   * The folder it runs in.
   *
   * @default {this process's}
   */
  readonly cwd?: string;
  /**
   * Environment variables besides those that are there.
   *
   * @default {{}}
   */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running contender: end it with `await using`. */
export class Contender implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor({ command, args, cwd, env = {} }: ContenderOptions) {
    this.#process = spawn(command, args, {
      cwd,
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Starts a program and waits until it is ready.
   *
   * @param options See {@linkcode ContenderOptions}.
   */
  static async start(options: ContenderOptions): Promise<Contender> {
    const contender = new Contender(options);
    await contender.#next();
    return contender;
  }

  async #next(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("The program under measurement has ended; what it said stands above");
    return JSON.parse(value);
  }

  /** Has it measure itself, and returns what it says. */
  async measure(): Promise<unknown> {
    this.#process.stdin.write("\n");
    return await this.#next();
  }

  /** Reads the most memory that it ever had, in bytes; NaN where nothing tells. */
  async peakMemory(): Promise<number> {
    return await peakMemory(Number(this.#process.pid));
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#process.stdin.end();
    await once(this.#process, "exit");
  }
}

/**
 * The other side: says that this program is ready, then measures for each line of standard input.
 *
 * @param measure Measures once.
 */
export async function answer(measure: () => Promise<unknown>): Promise<void> {
  console.log("{}");
  for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(await measure()));
}
