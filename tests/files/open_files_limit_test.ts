import assert from "node:assert/strict";
import { checkOpenFiles } from "../../src/files/open_files_limit.ts";

/** Opens files until a limit, as the system does. */
function opener(limit: number) {
  let opened = 0;
  return {
    opened: () => opened,
    open(): Disposable {
      if (opened === limit) throw Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
      opened++;
      return { [Symbol.dispose]: () => void opened-- };
    },
  };
}

Deno.test("checkOpenFiles() names the limit if fewer files can be opened, and closes those it opened", () => {
  const { open, opened } = opener(5);
  checkOpenFiles(5, open);
  assert.equal(opened(), 0);
  assert.throws(() => checkOpenFiles(6, open), {
    name: "InputError",
    message: "Cannot start a decoder: too many files are open, raise the limit by ulimit -n",
  });
  assert.equal(opened(), 0);
});

Deno.test("checkOpenFiles() does not mind a file that cannot be opened for another reason", () => {
  checkOpenFiles(3, () => {
    throw new Deno.errors.NotFound("");
  });
});

Deno.test("checkOpenFiles() opens files that exist", () => checkOpenFiles(10));
