/**
 * The prefix that all tensors of a file share, and that no model's own name has: `module.` of DataParallel, `_orig_mod.` of
 * torch.compile, `model.` of a module around the model, or several of them.
 *
 * @param names The tensors' names.
 * @param isKnown Whether a name without its prefix is one of the model's.
 * @returns The prefix with its dot, or an empty text.
 *
 * @example Two wrappers
 * ```ts
 * import assert from "node:assert/strict";
 * import { sharedPrefix } from "./shared_prefix.ts";
 *
 * const isKnown = (name: string) => name === "embed.weight";
 * assert.equal(sharedPrefix(["module.model.embed.weight", "module.model.linear.bias"], isKnown), "module.model.");
 * ```
 */
export function sharedPrefix(names: readonly string[], isKnown: (name: string) => boolean): string {
  const [first = ""] = names;
  const parts = first.split(".");
  for (let count = 0; count < parts.length; count++) {
    const prefix = parts.slice(0, count).map((part) => `${part}.`).join("");
    if (!names.every((name) => name.startsWith(prefix))) return "";
    if (names.some((name) => isKnown(name.slice(prefix.length)))) return prefix;
  }
  return "";
}

/** The tensors under their names without the shared prefix. */
export function withoutPrefix<Tensor>(
  tensors: ReadonlyMap<string, Tensor>,
  isKnown: (name: string) => boolean,
): ReadonlyMap<string, Tensor> {
  const { length } = sharedPrefix([...tensors.keys()], isKnown);
  return length === 0 ? tensors : new Map(Array.from(tensors, ([name, tensor]) => [name.slice(length), tensor]));
}
