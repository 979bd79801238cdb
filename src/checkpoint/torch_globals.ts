/**
 * The few names of Python and PyTorch that a pickle of weights needs, and what each of them means here.
 *
 * @module
 */

import { quoted } from "../printable.ts";
import { InputError } from "../input_error.ts";
import { STORAGE_CLASSES } from "./pickle.ts";
import { PickledStorage, PickledTensor } from "./pickled_tensor.ts";
import { type DType, isDType } from "./tensor.ts";

/** A name that the pickle imports, one of the few that are known. */
export class Global {
  /**
   * Describes a name.
   *
   * @param name Module and name, with a dot between.
   */
  constructor(readonly name: string) {}
}

/** A tuple: in Python it is not a list, and arguments always are tuples. */
export class Tuple {
  /**
   * Makes a tuple.
   *
   * @param items Its items.
   */
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

// As many as PyTorch's iterators take.
const MAX_DIMENSIONS = 64;
const ORDERED_DICT = "collections.OrderedDict";
const REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2";
// As the oldest files have it.
const REBUILD_TENSOR_1 = "torch._utils._rebuild_tensor";
const REBUILD_PARAMETER = "torch._utils._rebuild_parameter";
const STORAGES: ReadonlyMap<string, DType> = new Map(
  Object.entries(STORAGE_CLASSES).flatMap(([dtype, name]) => isDType(dtype) ? [[`torch.${name}`, dtype]] : []),
);
const KNOWN_GLOBALS: ReadonlySet<string> = new Set([
  ORDERED_DICT,
  REBUILD_TENSOR,
  REBUILD_TENSOR_1,
  REBUILD_PARAMETER,
  ...STORAGES.keys(),
]);

/**
 * Takes a name that a pickle imports.
 *
 * @param name Module and name, with a dot between.
 * @returns The name.
 * @throws {InputError} It is none of those that weights need.
 */
export function knownGlobal(name: string): Global {
  if (KNOWN_GLOBALS.has(name)) return new Global(name);
  throw new InputError(
    `it holds ${quoted(name)}, which is not needed for weights and may run a program, save model.state_dict() alone`,
  );
}

/**
 * What Python would call: each known name has its own meaning here.
 *
 * @param callee What the pickle calls.
 * @param argument What it gives.
 * @returns The value.
 * @throws {InputError} That is no call that weights need.
 */
export function callGlobal(callee: PickleValue | undefined, argument: PickleValue | undefined): PickleValue {
  if (!(callee instanceof Global) || !(argument instanceof Tuple)) {
    throw brokenPickle("something is called that is no name");
  }
  const items = argument.items;
  if (callee.name === ORDERED_DICT && items.length === 0) return new Map();
  if (callee.name === REBUILD_TENSOR || callee.name === REBUILD_TENSOR_1) return rebuiltTensor(items);
  if (callee.name === REBUILD_PARAMETER && items[0] instanceof PickledTensor) return items[0];
  throw brokenPickle(`${callee.name} has unknown arguments`);
}

/**
 * Understands a persistent id: `("storage", class, key, device, elements)` and, in the old format, a view, which is None.
 *
 * @param id The id.
 * @returns The storage.
 * @throws {InputError} It is something else.
 */
export function describedStorage(id: PickleValue): PickledStorage {
  if (id instanceof Tuple) {
    const [kind, type, key, , elements, view = null] = id.items;
    const dtype = type instanceof Global ? STORAGES.get(type.name) : undefined;
    if (kind === "storage" && dtype !== undefined && typeof key === "string" && isCount(elements) && view === null) {
      return new PickledStorage(key, dtype, elements);
    }
  }
  throw brokenPickle("a storage is described wrongly");
}

function rebuiltTensor([source, offset, shape, strides]: readonly PickleValue[]): PickledTensor {
  if (
    source instanceof PickledStorage && isCount(offset) && shape instanceof Tuple && strides instanceof Tuple &&
    shape.items.length === strides.items.length && shape.items.length <= MAX_DIMENSIONS &&
    shape.items.every(isCount) && strides.items.every(isCount)
  ) {
    return new PickledTensor(source, offset, shape.items, strides.items);
  }
  throw brokenPickle("a tensor is described wrongly");
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/**
 * The error of a pickle that is not as PyTorch writes it.
 *
 * @param reason What is wrong.
 * @returns The error, to be thrown; its message is a reason alone, without the path.
 */
export function brokenPickle(reason: string): InputError {
  return new InputError(`its pickle is broken, ${reason}`);
}
