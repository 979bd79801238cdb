import assert from "node:assert/strict";
import type { Command } from "commander";
import { TASK_COMMANDS } from "../support/task_commands.ts";
import config from "../../deno.json" with { type: "json" };

/** Tasks without a command: tests, and benchmarks, which parse their own options. */
const OTHERS = ["test", "test:slow", "test:browser", "bench"];

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => text += part });
  command.outputHelp();
  return text;
}

Deno.test("each task of deno.json has a command, so that its options can be completed and documented", () => {
  assert.deepEqual(
    Object.keys(TASK_COMMANDS).toSorted(),
    Object.keys(config.tasks).filter((task) => !OTHERS.includes(task)).toSorted(),
  );
});

for (const [task, create] of Object.entries(TASK_COMMANDS)) {
  Deno.test(`the help of ${task} shows its usage and examples, and ends with the exit codes`, () => {
    const help = helpOf(create());
    assert.match(help, new RegExp(`^Usage: deno task ${task} `));
    const [, examples = "", codes = ""] = help.match(/\nExamples:\n((?:.+\n)+)\nExit codes:\n((?:.+\n?)+)$/) ?? [];
    assert.match(examples, new RegExp(`^ {2}.*deno task ${task}\\b`));
    assert.deepEqual([...codes.matchAll(/^ {2}(\d+) /gm)].map(([, code]) => code), ["0", "1", "130"]);
  });

  Deno.test(`the examples of ${task} use only options that exist`, () => {
    const command = create();
    const known = command.options.flatMap(({ short, long }) => [short, long]);
    const [, examples = ""] = helpOf(command).match(/\nExamples:\n((?:.+\n)+)/) ?? [];
    for (const line of examples.trimEnd().split("\n")) {
      const [words = ""] = line.slice(line.indexOf("deno task")).split("#");
      for (const [flag] of words.matchAll(/(?<= )--?[a-z][a-z-]*/g)) {
        assert(known.includes(flag), `${flag} in: ${line}`);
      }
    }
  });

  Deno.test(`each option of ${task} has a description; of a numeric one, with its default`, () => {
    const without = ["--checkpoint-every", "--min-length"];
    for (const { long, flags, description, mandatory } of create().options) {
      assert.notEqual(description, "", flags);
      if (!/<(?:n|p|t|nats)>/.test(flags) || mandatory || without.includes(long ?? "")) continue;
      assert.match(description, /default/, `${task} ${flags}`);
    }
  });
}
