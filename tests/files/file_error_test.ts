import assert from "node:assert/strict";
import { fileErrorReason, isNotUtf8 } from "../../src/files/file_error.ts";

Deno.test("fileErrorReason() gives words for known codes, and any other error's message on one line", () => {
  assert.equal(fileErrorReason(Object.assign(new Error("os error 28"), { code: "ENOSPC" })), "the disk is full");
  assert.match(fileErrorReason(new Error("File too large (os error 27)")), /^it is larger than/);
  assert.equal(fileErrorReason(new Error("the cable\nis out")), "the cable is out");
  assert.equal(fileErrorReason("a word"), "a word");
});

Deno.test("fileErrorReason() says that a name is not UTF-8 if its file is not found", () => {
  const path = "/in/b\ufffd.png";
  assert(isNotUtf8(path) && !isNotUtf8("/in/bü.png"));
  const error = Object.assign(new Error(`No such file or directory (os error 2): stat '${path}'`), { code: "ENOENT" });
  assert.equal(fileErrorReason(error), "its name is not UTF-8, rename it");
});
