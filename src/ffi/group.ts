import type { Rendezvous } from "./rendezvous.ts";
import { create, Handle } from "./call.ts";
import { type Library, loadLibrary } from "./library.ts";
import { encodeStruct } from "./struct.ts";

/** Collective operations of a process group. All ranks must make each call, in the same order. */
export interface ProcessGroup {
  /** Rank of this process, from 0. */
  readonly rank: number;
  /** Number of processes. */
  readonly worldSize: number;
  /** Sums each number over all ranks, in rendezvous. */
  allReduce(values: Float64Array<ArrayBuffer>): Promise<void>;
  /** Returns each rank's bytes on all ranks, by rank. */
  allGather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[]>;
  /** Returns rank 0's bytes on all ranks; the bytes of other ranks are ignored. */
  broadcast(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** Options of {@linkcode Group.join}. */
export interface GroupOptions {
  /**
   * Timeout in seconds for the other processes.
   *
   * @default {600}
   */
  readonly timeout?: number;
}

/**
 * A process group over libtorch's c10d. Dispose it with `using`.
 *
 * @example Join the processes started by torchrun, if any
 * ```ts
 * import { Group, readRendezvous } from "@lrcn/lrcn/engine";
 * import assert from "node:assert/strict";
 *
 * const rendezvous = readRendezvous((name) => Deno.env.get(name));
 * using group = rendezvous && await Group.join(rendezvous);
 * assert.equal(group?.worldSize, undefined); // a single process has no group
 * ```
 */
export class Group implements ProcessGroup, Disposable {
  /** Rank of this process, from 0. */
  readonly rank: number;
  /** Number of processes. */
  readonly worldSize: number;
  /** Rank of this process on its machine, from 0; undefined if unknown. */
  readonly localRank: number | undefined;
  readonly #library: Library;
  readonly #handle: Handle;
  /** Ends with the last collective. */
  #last: Promise<void> = Promise.resolve();

  private constructor(library: Library, handle: Handle, { rank, worldSize, localRank }: Rendezvous) {
    this.#library = library;
    this.#handle = handle;
    this.rank = rank;
    this.worldSize = worldSize;
    this.localRank = localRank;
  }

  /**
   * Joins a group, once all its processes have arrived. Dispose the result.
   *
   * @throws {InputError} If a process does not arrive in time; the message says which.
   */
  static async join(rendezvous: Rendezvous, options: GroupOptions = {}): Promise<Group> {
    const library = loadLibrary();
    const struct = encodeStruct("lrcn_group_options", {
      rank: rendezvous.rank,
      world_size: rendezvous.worldSize,
      port: rendezvous.port,
      hosted: rendezvous.hosted ? 1 : 0,
      timeout: options.timeout ?? 600,
      address: rendezvous.address,
      prefix: rendezvous.prefix,
    });
    const pointer = await create(
      "join the other processes",
      (status, message) => library.symbols.lrcn_group_create(struct, status, message, message.length),
    );
    return new Group(library, new Handle("group", pointer, library.symbols.lrcn_group_destroy), rendezvous);
  }

  /** Sums each number over all ranks, in place. */
  async allReduce(values: Float64Array<ArrayBuffer>): Promise<void> {
    await this.#inTurn(() =>
      this.#run((group, message) =>
        this.#library.symbols.lrcn_group_all_reduce(group, values, BigInt(values.length), message, message.length)
      )
    );
  }

  /** Returns each rank's bytes on all ranks, by rank. */
  async allGather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[]> {
    const lengths = new BigInt64Array(this.worldSize);
    const all = await this.#inTurn(async () => {
      await this.#run((group, message) =>
        this.#library.symbols.lrcn_group_all_gather(
          group,
          bytes,
          BigInt(bytes.length),
          lengths,
          lengths.length,
          message,
          message.length,
        )
      );
      return await this.#gathered(lengths.reduce((sum, length) => sum + length, 0n));
    });
    let at = 0;
    return Array.from(lengths, (length) => all.slice(at, at += Number(length)));
  }

  /** Returns rank 0's bytes on all ranks. */
  async broadcast(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const length = new BigInt64Array(1);
    return await this.#inTurn(async () => {
      await this.#run((group, message) =>
        this.#library.symbols.lrcn_group_broadcast(group, bytes, BigInt(bytes.length), length, message, message.length)
      );
      return await this.#gathered(length[0] ?? 0n);
    });
  }

  /**
   * Makes a native call with the group.
   *
   * @ignore
   */
  use<Result>(call: (group: Deno.PointerObject) => Promise<Result>): Promise<Result> {
    return this.#handle.use(call);
  }

  /** Leaves the group. */
  [Symbol.dispose](): void {
    this.#handle[Symbol.dispose]();
  }

  async #gathered(length: bigint): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(Number(length));
    await this.#run((group, message) =>
      Promise.resolve(
        this.#library.symbols.lrcn_group_gathered(group, bytes, length, message, message.length),
      )
    );
    return bytes;
  }

  /** Runs collectives one after the other, since all ranks must run them in the same order. */
  #inTurn<Result>(collective: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(collective);
    this.#last = result.then(() => {}, () => {});
    return result;
  }

  #run(call: (group: Deno.PointerObject, message: Uint8Array<ArrayBuffer>) => Promise<number>): Promise<void> {
    return this.#handle.run("continue with the other processes", call);
  }
}
