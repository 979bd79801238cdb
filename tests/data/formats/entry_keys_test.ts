import assert from "node:assert/strict";
import { captionKeys, captionsOfEntry } from "../../../src/data/formats/entry_keys.ts";

Deno.test("captionKeys() takes captions before text, and all that are numbered", () => {
  assert.deepEqual(captionKeys(["file_name", "caption_0", "caption_1", "text"]), ["caption_0", "caption_1"]);
  assert.deepEqual(captionKeys(["caption", "caption_2", "split"]), ["caption", "caption_2"]);
  assert.deepEqual(captionKeys(["captions", "caption"]), ["captions"]);
  assert.deepEqual(captionKeys(["Text"]), ["Text"]);
  assert.deepEqual(captionKeys(["caption", "caption.1", "Caption 2", "raw"]), ["caption", "caption.1", "Caption 2"]);
  assert.deepEqual(captionKeys(["raw", "sentids"]), ["raw"]);
  assert.deepEqual(captionKeys(["subcaption", "context", "caption_id"]), []);
});

Deno.test("captionsOfEntry() joins the captions of an entry, and skips keys without a value", () => {
  assert.deepEqual(captionsOfEntry({ caption_0: "x", caption_1: null, caption_2: ["y", "z"] }), ["x", "y", "z"]);
  assert.deepEqual(captionsOfEntry({ captions: [] }), []);
  assert.equal(captionsOfEntry({ tags: "x" }), undefined);
});
