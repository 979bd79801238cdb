// A restricted unpickler. A pickle is a program; this one executes only the instructions that build tensors, dicts,
// lists, tuples, numbers and strings, and rejects all others. Nothing from the file is ever imported or called.

import { quoted } from "../printable.ts";
import { InputError } from "../input_error.ts";
import type { PickledStorage } from "./pickled_tensor.ts";
import {
  brokenPickle,
  callGlobal,
  describedStorage,
  type Global,
  knownGlobal,
  type PickleValue,
  Tuple,
} from "./torch_globals.ts";

export interface Unpickled {
  readonly value: PickleValue;
  /** The storages it refers to, by key. */
  readonly storages: ReadonlyMap<string, PickledStorage>;
  /** The offset after its last instruction. */
  readonly end: number;
}

const MARK = Symbol("mark");
// Each creates at most one value, of about 200 bytes; a tensor takes about 40.
const MAX_INSTRUCTIONS = 1_000_000;
const UTF_8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Unpickles the output of `torch.save`, up to its STOP.
 *
 * @param bytes The pickle; other data may follow it.
 * @throws {InputError} If it is broken, or contains anything but tensors, dicts, lists, tuples, numbers and strings;
 * the message is the reason without the path.
 */
export function unpickle(bytes: Uint8Array<ArrayBuffer>, start = 0): Unpickled {
  return new Unpickler(bytes, start).run();
}

class Unpickler {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #stack: (PickleValue | typeof MARK)[] = [];
  readonly #memo = new Map<number, PickleValue>();
  readonly #storages = new Map<string, PickledStorage>();
  #at: number;

  constructor(bytes: Uint8Array<ArrayBuffer>, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
  }

  run(): Unpickled {
    for (let count = 0; count < MAX_INSTRUCTIONS; count++) {
      const opcode = this.#uint(1);
      if (opcode === 0x2e) return { value: this.#pop(), storages: this.#storages, end: this.#at }; // STOP
      this.#step(opcode);
    }
    throw new InputError(
      `its pickle has more than ${MAX_INSTRUCTIONS} instructions, which weights do not need, save model.state_dict() alone`,
    );
  }

  /** Executes one instruction, named as in Python's pickletools. */
  #step(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        return void this.#skip(1);
      case 0x95: // FRAME
        return void this.#skip(8);
      case 0x28: // MARK
        return void this.#stack.push(MARK);
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4b: // BININT1
        return this.#push(this.#uint(1));
      case 0x4d: // BININT2
        return this.#push(this.#uint(2));
      case 0x4a: // BININT
        return this.#push(this.#uint(4) | 0);
      case 0x8a: // LONG1
        return this.#push(twosComplement(this.#take(this.#uint(1))));
      case 0x47: // BINFLOAT
        return this.#push(this.#float());
      case 0x58: // BINUNICODE
        return this.#push(this.#text(this.#uint(4)));
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING, as Python 2 wrote names
        return this.#push(this.#text(this.#uint(1)));
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map());
      case 0x5d: // EMPTY_LIST
        return this.#push([]);
      case 0x29: // EMPTY_TUPLE
        return this.#push(new Tuple([]));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(new Tuple(this.#popMany(opcode - 0x84)));
      case 0x74: // TUPLE
        return this.#push(new Tuple(this.#popToMark()));
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#popToMark());
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popToMark());
      case 0x71: // BINPUT
        return void this.#memo.set(this.#uint(1), this.#top());
      case 0x72: // LONG_BINPUT
        return void this.#memo.set(this.#uint(4), this.#top());
      case 0x94: // MEMOIZE
        return void this.#memo.set(this.#memo.size, this.#top());
      case 0x68: // BINGET
        return this.#push(this.#remembered(this.#uint(1)));
      case 0x6a: // LONG_BINGET
        return this.#push(this.#remembered(this.#uint(4)));
      case 0x63: // GLOBAL
        return this.#push(knownGlobal(`${this.#line()}.${this.#line()}`));
      case 0x93: // STACK_GLOBAL
        return this.#push(this.#stackGlobal());
      case 0x51: // BINPERSID
        return this.#push(this.#storage(this.#pop()));
      case 0x52: // REDUCE
        return this.#push(this.#reduce());
      case 0x62: // BUILD
        return this.#build();
      default:
        throw new InputError(
          `it holds the pickle instruction 0x${opcode.toString(16)}, which is not needed for weights`,
        );
    }
  }

  #reduce(): PickleValue {
    const [callee, argument] = this.#popMany(2);
    return callGlobal(callee, argument);
  }

  #stackGlobal(): Global {
    const [module, name] = this.#popMany(2);
    if (typeof module !== "string" || typeof name !== "string") throw brokenPickle("a name is not a string");
    return knownGlobal(`${module}.${name}`);
  }

  /** A shared storage is described once per tensor. */
  #storage(id: PickleValue): PickledStorage {
    const storage = describedStorage(id);
    const known = this.#storages.get(storage.key) ?? storage;
    if (known.dtype !== storage.dtype || known.elements !== storage.elements) {
      throw brokenPickle("a storage is described in two ways");
    }
    this.#storages.set(storage.key, known);
    return known;
  }

  /** Attributes of a dict, such as the versions that PyTorch stores with a state_dict, are skipped. */
  #build(): void {
    this.#pop();
    if (!(this.#top() instanceof Map)) throw brokenPickle("attributes are set on a value that is not a dict");
  }

  #append(items: PickleValue[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw brokenPickle("something is appended to a value that is not a list");
    for (const item of items) list.push(item);
  }

  #setItems(items: PickleValue[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || items.length % 2 !== 0) {
      throw brokenPickle("items are set on a value that is not a dict");
    }
    for (let at = 0; at < items.length; at += 2) {
      const key = items[at] ?? null;
      // Python never writes a duplicate key: one of the values would be lost silently.
      if (dict.has(key)) {
        throw brokenPickle(`${typeof key === "string" ? quoted(key) : "a key"} occurs twice in a dict`);
      }
      dict.set(key, items[at + 1] ?? null);
    }
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw brokenPickle("its stack is empty");
    return value;
  }

  #popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #popToMark(): PickleValue[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw brokenPickle("a mark is missing");
    const items = this.#stack.splice(mark).slice(1);
    return items.filter((item) => item !== MARK);
  }

  #remembered(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw brokenPickle(`it refers to value ${index}, which does not exist`);
    return value;
  }

  /** Advances by some bytes and returns where they begin. */
  #skip(count: number): number {
    if (this.#at + count > this.#bytes.byteLength) throw brokenPickle("it is cut off");
    this.#at += count;
    return this.#at - count;
  }

  #take(count: number): Uint8Array<ArrayBuffer> {
    const at = this.#skip(count);
    return this.#bytes.subarray(at, at + count);
  }

  #uint(bytes: 1 | 2 | 4): number {
    const at = this.#skip(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    return bytes === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  #float(): number {
    return this.#view.getFloat64(this.#skip(8));
  }

  #text(bytes: number): string {
    return UTF_8.decode(this.#take(bytes));
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw brokenPickle("it is cut off");
    const line = this.#text(end - this.#at);
    this.#skip(1);
    return line;
  }
}

function twosComplement(bytes: Uint8Array): number | bigint {
  const unsigned = BigInt(`0x0${bytes.toReversed().toHex()}`);
  const value = BigInt.asIntN(bytes.byteLength * 8, unsigned);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
