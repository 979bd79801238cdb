import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { progressPrinter } from "../../src/cli/output.ts";
import { InputError } from "../../src/input_error.ts";
import { canRun } from "../support/test_data.ts";

const OUTPUT = new URL("../../src/cli/output.ts", import.meta.url).href;

/** Runs a statement that prints, in a process with redirected streams: `redirection` is a shell's. */
async function runPrinting(statement: string, redirection: string) {
  const program = `import { printLine, printNote, writeOutput } from ${JSON.stringify(OUTPUT)}; ${statement}`;
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `exec "$0" eval --no-check "$1" ${redirection}`, Deno.execPath(), program],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test({
  name: "printLine() and writeOutput() name standard output if it is full",
  ignore: !canRun,
  async fn() {
    for (const call of ['printLine("a dog")', 'await writeOutput("a dog")']) {
      const { code, stdout } = await runPrinting(
        `try { ${call}; } catch ({ name, message }) { printNote(name + ": " + message); Deno.exit(3); }`,
        "3>&1 >/dev/full 2>&3",
      );
      assert.deepEqual([code, stdout], [3, "InputError: Cannot write to standard output: the disk is full\n"]);
    }
  },
});

Deno.test({
  name: "printNote() goes on if standard error is full",
  ignore: !canRun,
  async fn() {
    const { code, stdout } = await runPrinting('printNote("a dog"); printLine("two dogs")', "2>/dev/full");
    assert.deepEqual([code, stdout], [0, "two dogs\n"]);
  },
});

Deno.test({
  name: "printLine() and printNote() escape what a terminal interprets; writeOutput() writes what it is given",
  ignore: !canRun,
  async fn() {
    const { stdout, stderr } = await runPrinting(
      String.raw`const t = "a\x9b1m\t\u202eb"; printLine(t); printNote(t); await writeOutput(t)`,
      "",
    );
    assert.equal(stdout, "a\\u009b1m\t\\u202eb\na\x9b1m\t\u202eb");
    assert.equal(stderr, "a\\u009b1m\t\\u202eb\n");
  },
});

Deno.test("progressPrinter() notes once that its lines cannot be written", () => {
  const notes: string[] = [];
  let lines = 0;
  const print = progressPrinter(() => {
    if (lines++ > 0) throw new InputError("Cannot write to standard output: the disk is full");
  }, (line) => notes.push(line));
  for (let line = 0; line < 5; line++) print("Epoch 1");
  assert.equal(lines, 2);
  assert.deepEqual(notes, [
    "Warning: Cannot write to standard output: the disk is full; the task continues without it",
  ]);
});

Deno.test("progressPrinter() says nothing if the reader has closed standard output", () => {
  const print = progressPrinter(() => {
    throw new Deno.errors.BrokenPipe("");
  }, () => assert.fail());
  print("Epoch 1");
});
