import assert from "node:assert/strict";
import { Argument, Option } from "commander";
import { createCommand } from "../../src/cli/command.ts";
import { TASK_COMMANDS } from "../../src/cli/commands/task_commands.ts";
import { completionScript, SHELLS } from "../../src/cli/completions.ts";
import { canRun } from "../support/test_data.ts";

const COMMANDS = {
  fly: () =>
    createCommand("fly", "Flies ada's kite.")
      .option("-q, --quiet", "say nothing [ever]: at all")
      .option("--line <file>", "what it hangs on")
      .addOption(new Option("--color <name>", "of the kite").choices(["red", "blue"])),
  land: () => createCommand("land", "Lands it.").addArgument(new Argument("<where>").choices(["beach", "roof"])),
};

/** Bash's completions for the last word, with another completion of `deno` defined before. */
async function bashOffers(words: readonly string[]): Promise<string[]> {
  const script = [
    "before() { COMPREPLY=(before); }",
    "complete -F before deno",
    completionScript("bash", COMMANDS),
    // Sourced twice, as when a user reloads the settings.
    completionScript("bash", COMMANDS),
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}`,
    '_lrcn_deno deno; printf "%s\\n" "${COMPREPLY[@]}"',
  ].join("\n");
  const { code, stdout, stderr } = await new Deno.Command("bash", { args: ["--norc", "-c", script] }).output();
  assert.deepEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}

Deno.test("completionScript() contains every task and option, for each shell", () => {
  for (const shell of SHELLS) {
    const script = completionScript(shell, TASK_COMMANDS);
    for (const [task, create] of Object.entries(TASK_COMMANDS)) {
      assert.match(script, new RegExp(`\\b${task}\\b`), `${task} in ${shell}`);
      for (const { long } of create().options) {
        assert(script.includes(shell === "fish" ? `-l ${long?.slice(2)} ` : `${long}`), `${task} ${long} in ${shell}`);
      }
    }
  }
});

Deno.test("completionScript() escapes quotes, brackets and colons of descriptions", () => {
  assert(completionScript("zsh", COMMANDS).includes(String.raw`'fly:Flies ada'\''s kite.'`));
  assert(completionScript("zsh", COMMANDS).includes(String.raw`'*--quiet[say nothing \[ever\]\: at all]'`));
  assert(completionScript("fish", COMMANDS).includes(String.raw`-a fly -d 'Flies ada\'s kite.'`));
});

Deno.test("completionScript() offers files for options that take one, and choices for those that have them", () => {
  assert(completionScript("zsh", COMMANDS).includes("'*--line[what it hangs on]:value:_files'"));
  assert(completionScript("zsh", COMMANDS).includes("'*--color[of the kite]:value:(red blue)'"));
  assert(completionScript("fish", COMMANDS).includes("-l line -r -d"));
  assert(completionScript("fish", COMMANDS).includes("-l color -x -a 'red blue' -d"));
});

Deno.test("completionScript() for fish comes after Deno's own, which erases earlier completions", () => {
  const script = completionScript("fish", COMMANDS);
  const first = script.indexOf("complete -c deno");
  assert(script.indexOf("deno completions fish | source") < first && script.includes("deno completions fish | source"));
});

Deno.test({
  name: "bash completes tasks, options, choices and arguments, and leaves other completions as they were",
  ignore: !canRun,
  async fn() {
    assert.deepEqual(await bashOffers(["deno", "task", "l"]), ["land"]);
    assert.deepEqual(await bashOffers(["deno", "task", "fly", "--"]), ["--quiet", "--line", "--color", "--help"]);
    assert.deepEqual(await bashOffers(["deno", "task", "fly", "--color", ""]), ["red", "blue"]);
    assert.deepEqual(await bashOffers(["deno", "task", "land", ""]), ["beach", "roof"]);
    // Bash itself offers files.
    assert.deepEqual(await bashOffers(["deno", "task", "fly", "--line", ""]), []);
    assert.deepEqual(await bashOffers(["deno", "ru"]), ["before"]);
  },
});
