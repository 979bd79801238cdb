import assert from "node:assert/strict";
import { sharedPrefix, withoutPrefix } from "../../src/checkpoint/shared_prefix.ts";

const isKnown = (name: string) => name === "embed.weight";

Deno.test("sharedPrefix() is what all names begin with before the model's own", () => {
  for (const prefix of ["", "module.", "_orig_mod.", "model.", "module._orig_mod.", "state_dict.model."]) {
    assert.equal(sharedPrefix([`${prefix}resnet.fc.bias`, `${prefix}embed.weight`], isKnown), prefix);
  }
});

Deno.test("sharedPrefix() is empty if a name lacks it, or none is the model's", () => {
  assert.equal(sharedPrefix(["module.embed.weight", "linear.bias"], isKnown), "");
  assert.equal(sharedPrefix(["module.fc.bias", "module.fc.weight"], isKnown), "");
  assert.equal(sharedPrefix([], isKnown), "");
});

Deno.test("withoutPrefix() renames the tensors", () => {
  assert.deepEqual([...withoutPrefix(new Map([["model.embed.weight", 1]]), isKnown)], [["embed.weight", 1]]);
});
