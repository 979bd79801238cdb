import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { canRun } from "../../support/test_data.ts";
import { assertDone, assertRefused, type Ended } from "../../support/run_task.ts";

const ignore = !canRun;
const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));

/** Starts the task without any permission. */
function start(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "tasks/tokenize.ts", ...args],
    cwd: PROJECT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function tokenize(args: readonly string[], input: string | Uint8Array<ArrayBuffer>): Promise<Ended> {
  const child = start(args);
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  // If the task refuses its input, it does not read all of it.
  const written = ReadableStream.from([bytes]).pipeTo(child.stdin).catch(assertBrokenPipe);
  const { code, stdout, stderr } = await child.output();
  await written;
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function assertBrokenPipe(error: unknown): void {
  assert.ok(error instanceof Deno.errors.BrokenPipe, String(error));
}

Deno.test({
  name: "tokenize prints a line of NLTK tokens for each line, without any permission",
  ignore,
  async fn() {
    const ended = await tokenize([], "A man's dog can't bark.\r\n\nA sign says \"Stop\"");
    assertDone(ended);
    assert.equal(ended.stdout, "a man 's dog ca n't bark .\n\na sign says `` stop ''\n");
    assertDone(await tokenize(["--tokenizer", "nltk"], ""));
  },
});

Deno.test({
  name: "tokenize --tokenizer unicode splits every script into its words",
  ignore,
  async fn() {
    const ended = await tokenize(["--tokenizer", "unicode"], "A dog isn't here.\n赤い傘と犬。\nCafe\u0301 و كلب\n");
    assertDone(ended);
    assert.equal(ended.stdout, "a dog isn't here .\n赤い 傘 と 犬 。\ncaf\u00e9 و كلب\n");
  },
});

Deno.test({
  name: "tokenize --tokenizer ptb prints the tokens used for scores, a line for each line",
  ignore,
  async fn() {
    const ended = await tokenize(
      ["--tokenizer", "ptb"],
      "A man's dog (red) can't bark.\r\n...\nAt 5 a.m. he \"cannot\" stop!\n",
    );
    assertDone(ended);
    assert.equal(ended.stdout, "a man 's dog -lrb- red -rrb- ca n't bark\n\nat 5 a.m. he can not stop\n");
  },
});

Deno.test({
  name: "tokenize refuses what it cannot read in one line, after the lines before it",
  ignore,
  async fn() {
    const ended = await tokenize([], Uint8Array.of(97, 10, 255, 10, 98));
    assertRefused(ended, /Cannot tokenize: line 2 of the input is not UTF-8/);
    assert.equal(ended.stdout, "a\n");
    const long = new Uint8Array(9_000_000).fill(97);
    assertRefused(await tokenize([], long), /line 1 of the input is longer than 4 MB/);
    assertRefused(
      await tokenize(["--tokenizer", "moses"], ""),
      /'moses' is invalid. Allowed choices are nltk, unicode, ptb/,
    );
    assertRefused(await tokenize(["captions.txt"], ""), /too many arguments/);
  },
});

Deno.test({
  name: "tokenize prints tokens as lines come, and ends quietly if its reader closes the output",
  ignore,
  async fn() {
    const child = start([]);
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("A dog.\n"));
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    assert.equal(new TextDecoder().decode(value), "a dog .\n");
    await reader.cancel();
    const lines = new TextEncoder().encode("A dog.\n".repeat(1000));
    const [error] = await Promise.all([
      (async () => {
        while (true) await writer.write(lines);
      })().catch((error: unknown) => error),
      child.status,
    ]);
    assertBrokenPipe(error);
    assert.equal((await child.status).code, 0);
    assert.equal(await new Response(child.stderr).text(), "");
  },
});
