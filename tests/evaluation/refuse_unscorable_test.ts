import assert from "node:assert/strict";
import { refuseUnscorable } from "../../src/evaluation/refuse_unscorable.ts";
import { scoreCaptions, tokenizeCaptions } from "../../src/evaluation/score_captions.ts";

function refuses(captions: Parameters<typeof tokenizeCaptions>[0], message: RegExp): void {
  assert.throws(() => refuseUnscorable(tokenizeCaptions(captions)), { name: "InputError", message });
}

Deno.test("refuseUnscorable() refuses an evaluation of nothing", () => {
  refuses([], /there are none/);
  refuses(
    [{ caption: "", references: ["a kite"] }, { caption: " . ", references: ["a boat"] }],
    /none of the 2 captions/,
  );
  refuses([{ caption: "a kite", references: ["", "!"] }], /no reference of the 1 images has a word/);
  assert.throws(() => scoreCaptions([]), RangeError);
});

Deno.test("refuseUnscorable() lets a model be bad", () => {
  const captions = [{ caption: "", references: ["a kite"] }, { caption: "a dog", references: ["", "a boat"] }];
  refuseUnscorable(tokenizeCaptions(captions));
});
