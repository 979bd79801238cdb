import assert from "node:assert/strict";
import { CommanderError } from "commander";
import { createCommand, keyValue, runTask, userFolder, userPath, wholeNumber } from "../../src/cli/command.ts";
import { EngineError } from "../../src/ffi/status.ts";
import { InputError } from "../../src/input_error.ts";

const canReadEnv = (await Deno.permissions.query({ name: "env" })).state === "granted";

/** A command with some options that writes to a string. */
function commandOf() {
  const text = { out: "", err: "" };
  const command = createCommand("fly", "Flies a kite.")
    .option("--height <n>", "metres", wholeNumber(1))
    .option("--set <key=value>", "any setting", keyValue, {});
  command.configureOutput({ writeOut: (part) => text.out += part, writeErr: (part) => text.err += part });
  return { command, text };
}

async function outcome(error: unknown): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await runTask(() => Promise.reject(error), (line) => lines.push(line));
  return { code, lines };
}

Deno.test("createCommand() suggests the nearest option in one line, and does not exit the process", async () => {
  const { command, text } = commandOf();
  const code = await runTask(() => {
    command.parse(["--hieght", "3"], { from: "user" });
    return Promise.resolve(0);
  });
  assert.equal(code, 1);
  assert.equal(text.err, "error: unknown option '--hieght' (Did you mean --height?)\n");
});

Deno.test("createCommand() prints help with the command as the user types it, exit code 0", async () => {
  const { command, text } = commandOf();
  const code = await runTask(() => {
    command.parse(["--help"], { from: "user" });
    return Promise.resolve(1);
  });
  assert.equal(code, 0);
  assert.match(text.out, /^Usage: deno task fly \[options\]/);
});

Deno.test("createCommand() ends its help with examples and exit codes, after other help texts", () => {
  let text = "";
  const command = createCommand("fly", "Flies a kite.", { examples: ["deno task fly --height 3"] });
  command.option("--height <n>", "metres").addHelpText("after", "\nWinds: north and west");
  command.configureOutput({ writeOut: (part) => text += part }).outputHelp();
  assert.match(
    text,
    /\nWinds: north and west\n\nExamples:\n {2}deno task fly --height 3\n\nExit codes:\n {2}0 .*\n {2}1 .*\n {2}130 .*\n$/,
  );
});

Deno.test("runTask() returns the task's exit code", async () => {
  assert.equal(await runTask(() => Promise.resolve(7)), 7);
});

Deno.test("runTask() prints wrong input as one line, exit code 1", async () => {
  for (const error of [new InputError("Cannot fly"), new EngineError("INTERNAL", "Cannot fly")]) {
    assert.deepEqual(await outcome(error), { code: 1, lines: ["error: Cannot fly"] });
  }
});

Deno.test("runTask() names the missing permission", async () => {
  const error = new Deno.errors.NotCapable(
    'Requires read access to "/kites", run again with the --allow-read flag',
  );
  const { code, lines } = await outcome(error);
  assert.equal(code, 1);
  assert.deepEqual(lines, [
    'error: Requires read access to "/kites"; run it with deno task, or give --allow-read',
  ]);
});

Deno.test("runTask() answers an interruption with 130 and no line", async () => {
  assert.deepEqual(await outcome(new DOMException("The signal has been aborted", "AbortError")), {
    code: 130,
    lines: [],
  });
});

Deno.test("runTask() prints nothing if commander has printed the error", async () => {
  assert.deepEqual(await outcome(new CommanderError(1, "commander.unknownOption", "error")), { code: 1, lines: [] });
});

Deno.test("runTask() prints a bug as an internal error, with its stack", async () => {
  const { code, lines } = await outcome(new TypeError("kite is undefined"));
  assert.equal(code, 1);
  assert.match(lines[0] ?? "", /^internal error: TypeError: kite is undefined\n {4}at /);
});

Deno.test("userPath() resolves relative paths against the working directory and leaves absolute ones", () => {
  assert.equal(userPath("kites/red.jpg", "/home/ada"), "/home/ada/kites/red.jpg");
  assert.equal(userPath("../red.jpg", "/home/ada"), "/home/red.jpg");
  assert.equal(userPath("/kites/red.jpg", "/home/ada"), "/kites/red.jpg");
});

Deno.test({
  name: "userFolder() is the folder where deno task was called",
  ignore: !canReadEnv,
  fn() {
    const before = Deno.env.get("INIT_CWD");
    try {
      Deno.env.set("INIT_CWD", "/home/ada");
      assert.equal(userFolder(), "/home/ada");
    } finally {
      if (before === undefined) Deno.env.delete("INIT_CWD");
      else Deno.env.set("INIT_CWD", before);
    }
  },
});

Deno.test("wholeNumber() accepts whole numbers from the minimum up, and nothing else", () => {
  assert.equal(wholeNumber(1)("12"), 12);
  assert.equal(wholeNumber(0)("0"), 0);
  for (const text of ["0", "-1", "1.5", "1e3", "0x10", "", " 3", "three", "2147483648"]) {
    assert.throws(() => wholeNumber(1)(text), /It must be a whole number, 1 or more/, text);
  }
});

Deno.test("keyValue() collects settings; the last one of a name wins", () => {
  const once = keyValue("dropout=0.3");
  assert.deepEqual(keyValue("encoderBlocks=1,1,1,1", once), { dropout: "0.3", encoderBlocks: "1,1,1,1" });
  assert.deepEqual(keyValue("dropout=0", once), { dropout: "0" });
  assert.throws(() => keyValue("dropout"), /It must be key=value/);
});

Deno.test("runTask() prints a file system error in one line, without a stack", async () => {
  const lines: string[] = [];
  const denied = Object.assign(new Deno.errors.PermissionDenied("Permission denied (os error 13): writefile 'x'"), {
    code: "EACCES",
  });
  assert.equal(await runTask(() => Promise.reject(denied), (line) => lines.push(line)), 1);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /^error: .*writefile 'x'.*check its path/);
  assert.doesNotMatch(lines[0] ?? "", / at /);
});

Deno.test("runTask() ends quietly if the reader of standard output has closed it", async () => {
  assert.deepEqual(await outcome(new Deno.errors.BrokenPipe("Broken pipe (os error 32)")), { code: 0, lines: [] });
});

Deno.test("userPath() refuses a path that is not UTF-8", () => {
  assert.throws(
    () => userPath("/in/b\ufffd.png"),
    /^InputError: Cannot use '\/in\/b\ufffd.png': its name is not UTF-8, rename it$/,
  );
});
