/**
 * A restricted unpickler. A pickle is a program; this one runs the part of it that builds tensors, dicts, lists, tuples,
 * numbers and strings, and refuses the rest by name. Nothing out of the file is ever imported or called.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import { quoted } from "./file_error.ts";
import { STORAGE_CLASSES } from "./pickle.ts";
import { PickledStorage, PickledTensor } from "./pickled_tensor.ts";
import { type DType, isDType } from "./tensor.ts";

/** A name that the pickle imports, one of the few that are known. */
class Global {
  constructor(readonly name: string) {}
}

/** A tuple: in Python it is not a list, and arguments always are tuples. */
class Tuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** What an unpickled file consists of. Integers that a number cannot hold exactly are bigints, dicts are Maps. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickledTensor
  | PickledStorage
  | Global
  | Tuple;

const MARK = Symbol("mark");
const ORDERED_DICT = "collections.OrderedDict";
const REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2";
const REBUILD_PARAMETER = "torch._utils._rebuild_parameter";
const STORAGES: ReadonlyMap<string, DType> = new Map(
  Object.entries(STORAGE_CLASSES).flatMap(([dtype, name]) => isDType(dtype) ? [[`torch.${name}`, dtype]] : []),
);
const KNOWN_GLOBALS: ReadonlySet<string> = new Set([
  ORDERED_DICT,
  REBUILD_TENSOR,
  REBUILD_PARAMETER,
  ...STORAGES.keys(),
]);

/**
 * Unpickles `data.pkl` of a PyTorch file.
 *
 * @param bytes Its content.
 * @returns The value it describes.
 * @throws {InputError} It is broken, or holds something else than tensors, dicts, lists, tuples, numbers and strings;
 * the message is a reason alone, without the path.
 */
export function unpickle(bytes: Uint8Array<ArrayBuffer>): PickleValue {
  return new Unpickler(bytes).run();
}

class Unpickler {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #stack: (PickleValue | typeof MARK)[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): PickleValue {
    for (;;) {
      const opcode = this.#uint(1);
      if (opcode === 0x2e) return this.#pop(); // STOP
      this.#step(opcode);
    }
  }

  /** Runs one instruction, named as in Python's pickletools. */
  #step(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        return void this.#take(1);
      case 0x95: // FRAME
        return void this.#take(8);
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
        return this.#push(knownGlobal(this.#popMany(2).map((word) => `${word}`).join(".")));
      case 0x51: // BINPERSID
        return this.#push(storage(this.#pop()));
      case 0x52: // REDUCE
        return this.#reduce();
      case 0x62: // BUILD
        return this.#build();
      default:
        throw new InputError(
          `it holds the pickle instruction 0x${opcode.toString(16)}, which is not needed for weights`,
        );
    }
  }

  /** What Python would call: each known name has its own meaning here. */
  #reduce(): void {
    const [callee, argument] = this.#popMany(2);
    if (!(callee instanceof Global) || !(argument instanceof Tuple)) {
      throw broken("something is called that is no name");
    }
    const items = argument.items;
    if (callee.name === ORDERED_DICT && items.length === 0) return this.#push(new Map());
    if (callee.name === REBUILD_TENSOR) return this.#push(rebuiltTensor(items));
    if (callee.name === REBUILD_PARAMETER && items[0] instanceof PickledTensor) return this.#push(items[0]);
    throw broken(`${callee.name} has unknown arguments`);
  }

  /** Attributes of a dict, such as the versions that PyTorch keeps beside a state_dict, are left out. */
  #build(): void {
    this.#pop();
    if (!(this.#top() instanceof Map)) throw broken("attributes are set on something else than a dict");
  }

  #append(items: PickleValue[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw broken("something is appended to what is no list");
    for (const item of items) list.push(item);
  }

  #setItems(items: PickleValue[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || items.length % 2 !== 0) throw broken("items are set on what is no dict");
    for (let at = 0; at < items.length; at += 2) dict.set(items[at] ?? null, items[at + 1] ?? null);
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
    if (value === undefined || value === MARK) throw broken("its stack is empty");
    return value;
  }

  #popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #popToMark(): PickleValue[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw broken("a mark is missing");
    const items = this.#stack.splice(mark).slice(1);
    return items.filter((item) => item !== MARK);
  }

  #remembered(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw broken(`it refers to value ${index}, which is not there`);
    return value;
  }

  #take(count: number): Uint8Array<ArrayBuffer> {
    if (this.#at + count > this.#bytes.byteLength) throw broken("it is cut off");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  #uint(bytes: 1 | 2 | 4): number {
    return this.#take(bytes).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  #float(): number {
    this.#take(8);
    return this.#view.getFloat64(this.#at - 8);
  }

  #text(bytes: number): string {
    return new TextDecoder().decode(this.#take(bytes));
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw broken("it is cut off");
    const line = this.#text(end - this.#at);
    this.#take(1);
    return line;
  }
}

function knownGlobal(name: string): Global {
  if (KNOWN_GLOBALS.has(name)) return new Global(name);
  throw new InputError(
    `it holds ${quoted(name)}, which is not needed for weights and may run a program, save model.state_dict() alone`,
  );
}

/** A persistent id: ("storage", class, key, device, elements). */
function storage(id: PickleValue): PickledStorage {
  if (id instanceof Tuple) {
    const [kind, type, key, , elements] = id.items;
    const dtype = type instanceof Global ? STORAGES.get(type.name) : undefined;
    if (kind === "storage" && dtype !== undefined && typeof key === "string" && isCount(elements)) {
      return new PickledStorage(key, dtype, elements);
    }
  }
  throw broken("a storage is described wrongly");
}

function rebuiltTensor([source, offset, shape, strides]: readonly PickleValue[]): PickledTensor {
  if (
    source instanceof PickledStorage && isCount(offset) && shape instanceof Tuple && strides instanceof Tuple &&
    shape.items.every(isCount) && strides.items.every(isCount) && shape.items.length === strides.items.length
  ) {
    return new PickledTensor(source, offset, shape.items, strides.items);
  }
  throw broken("a tensor is described wrongly");
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function twosComplement(bytes: Uint8Array): number | bigint {
  const unsigned = bytes.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
  const value = BigInt.asIntN(bytes.byteLength * 8, unsigned);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function broken(reason: string): InputError {
  return new InputError(`its pickle is broken, ${reason}`);
}
