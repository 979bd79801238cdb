import assert from "node:assert/strict";
import { join } from "node:path";
import { makeFolder } from "../../support/temporary_folder.ts";
import { canRunTasks, PROJECT, runCommand, runTask, type TaskName } from "../../support/run_task.ts";

/** A block of commands in docs/tutorial.md, and the output that follows it. */
interface Step {
  readonly commands: readonly string[];
  readonly output: readonly string[];
}

async function steps(): Promise<Step[]> {
  const page = await Deno.readTextFile(join(PROJECT, "docs/tutorial.md"));
  return [...page.matchAll(/^```sh\n(.*?)^```\n(?:\n((?: {4}[^\n]*\n)+))?/gms)].map((
    [, commands = "", output = ""],
  ) => ({
    commands: commands.trimEnd().split("\n"),
    output: output.replaceAll(/^ {4}/gm, "").trimEnd().split("\n").filter((line) => line !== "" && line !== "..."),
  }));
}

/** A command as the test runs it: quickly, with scenes and data in the test's folder. */
async function run(command: string, folder: string): Promise<string[]> {
  const [, task, words = ""] = command.match(/^deno task (\w+) (.*)$/) ?? command.match(/^deno task (\w+)()$/) ?? [];
  const quick = ["train", "doctor"].includes(task ?? "") ? ["--epochs", "3"] : [];
  // Fewer scenes say as much here.
  const script = command.replace("scenes 120", "scenes 30").replace("<= 100", "<= 24").replace(
    "docs/",
    join(PROJECT, "docs/"),
  ).replace(/^deno /, `"${Deno.execPath()}" `);
  const { code, stdout, stderr } = task === undefined
    ? await runCommand(["sh", "-c", `cd "$0" && ${script}`, folder], folder)
    : await runTask(task as TaskName, [...words.split(" ").filter((word) => word !== ""), ...quick], { folder });
  assert.equal(code, 0, `${command}\n${stderr}`);
  return `${stderr}\n${stdout}`.split("\n");
}

/** What of a line is the same in each run: numbers, folders and the model's own sentences differ. */
function common(line: string): string {
  return line.replaceAll(/\S*\/(?=[\w.]+$)/g, ".../").replace(/^(photos\/item-\d+\.png,).*/, "$1")
    .replaceAll(" (best)", "").replaceAll(/\d+(?:\.\d+)?/g, "#").replaceAll(/[+-]#/g, "#").replaceAll(/ +/g, " ");
}

Deno.test({
  name: "the commands of docs/tutorial.md print what it says",
  ignore: !canRunTasks,
  async fn() {
    await using folder = await makeFolder({});
    const all = await steps();
    assert(all.length >= 8, `${all.length} steps were found`);
    for (const { commands, output } of all) {
      const printed: string[] = [];
      for (const command of commands) printed.push(...(await run(command, folder.path)).map(common));
      for (const line of output) {
        const expected = common(line.replace(/ ?\.\.\.$/, ""));
        const isThere = printed.some((other) => line.endsWith("...") ? other.startsWith(expected) : other === expected);
        assert(isThere, `${line} (${expected}) is not in\n${printed.join("\n")}`);
      }
    }
  },
});
