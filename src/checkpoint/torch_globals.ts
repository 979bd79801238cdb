// The few names of Python and PyTorch that a pickle of weights needs, and their meaning here.

import { quoted } from "../printable.ts";
import { InputError } from "../input_error.ts";
import { STORAGE_CLASSES } from "./pickle.ts";
import { PickledStorage, PickledTensor } from "./pickled_tensor.ts";
import { type DType, isDType } from "./tensor.ts";

/** A known name imported by the pickle. */
export class Global {
  /** @param name Module and name, separated by a dot. */
  constructor(readonly name: string) {}
}

/** A tuple: Python distinguishes it from a list, and arguments are always tuples. */
export class Tuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A value of an unpickled file. Integers beyond the safe range are bigints, dicts are Maps. */
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

// PyTorch's own limit.
const MAX_DIMENSIONS = 64;
const ORDERED_DICT = "collections.OrderedDict";
const REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2";
// Used by the oldest files.
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
 * The name imported by a pickle, as module and name separated by a dot.
 *
 * @throws {InputError} If weights do not need it.
 */
export function knownGlobal(name: string): Global {
  if (KNOWN_GLOBALS.has(name)) return new Global(name);
  throw new InputError(
    `it holds ${quoted(name)}, which is not needed for weights and may run a program, save model.state_dict() alone`,
  );
}

/**
 * Emulates a call: each known name has its own meaning here.
 *
 * @throws {InputError} If weights do not need that call.
 */
export function callGlobal(callee: PickleValue | undefined, argument: PickleValue | undefined): PickleValue {
  if (!(callee instanceof Global) || !(argument instanceof Tuple)) {
    throw brokenPickle("something that is not a name is called");
  }
  const items = argument.items;
  if (callee.name === ORDERED_DICT && items.length === 0) return new Map();
  if (callee.name === REBUILD_TENSOR || callee.name === REBUILD_TENSOR_1) return rebuiltTensor(items);
  if (callee.name === REBUILD_PARAMETER && items[0] instanceof PickledTensor) return items[0];
  throw brokenPickle(`${callee.name} has unknown arguments`);
}

/**
 * Interprets a persistent id: `("storage", class, key, device, elements)` and, in the old format, a view, which is
 * None.
 *
 * @throws {InputError} If it is something else.
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

/** The error for a pickle that PyTorch would not write; its message is the reason without the path. */
export function brokenPickle(reason: string): InputError {
  return new InputError(`its pickle is broken, ${reason}`);
}
