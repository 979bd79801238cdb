import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { TASK_COMMANDS } from "../src/cli/commands/task_commands.ts";
import { canRead } from "./support/test_data.ts";
import config from "../deno.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** All pages, their places from the project's folder. */
async function pages(): Promise<string[]> {
  const found: string[] = [];
  async function look(folder: string): Promise<void> {
    for await (const { name, isFile, isDirectory } of Deno.readDir(join(ROOT, folder))) {
      if (isDirectory && folder !== "") await look(join(folder, name));
      if (isFile && name.endsWith(".md")) found.push(join(folder, name));
    }
  }
  for (const folder of ["", "docs", "bench"]) await look(folder);
  return found.toSorted();
}

async function textOf(page: string): Promise<string> {
  return await Deno.readTextFile(join(ROOT, page));
}

/** What stands outside blocks of code. */
function proseOf(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, "").replaceAll(/^ {4}.*$/gm, "");
}

/** The anchor that a heading gets. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

/** Calls of tasks in blocks of shell: name and words. */
function callsIn(text: string): string[][] {
  const blocks = [
    ...[...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = ""]) => block),
    ...[...text.matchAll(/^ {4}(.*\bdeno.* task .*)$/gm)].map(([, line = ""]) => line),
  ];
  const lines = blocks.join("\n").replaceAll(/\s#\s.*$/gm, "").split("\n");
  return lines.flatMap((line) =>
    [...line.matchAll(/\bdeno(?:@\S+)? task (?:--quiet )?([^|;&<>)]+)/g)].map(([, words = ""]) =>
      words.trim().split(/\s+/)
    )
  );
}

Deno.test({
  name: "each relative link of the documentation leads to a file or folder, and to a heading where it names one",
  ignore: !canRead,
  async fn() {
    for (const page of await pages()) {
      for (const [, target = ""] of proseOf(await textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = "", anchor] = target.split("#");
        const place = path === "" ? page : join(dirname(page), path);
        const where = `${page}: ${target}`;
        assert(!relative(ROOT, join(ROOT, place)).startsWith(".."), where);
        await Deno.stat(join(ROOT, place)).catch(() => assert.fail(`${where} is not there`));
        if (anchor === undefined) continue;
        const anchors = [...(await textOf(place)).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
        assert(anchors.includes(anchor), `${where}: no heading is called so`);
      }
    }
  },
});

Deno.test({
  name: "each page of docs can be reached from docs/README.md",
  ignore: !canRead,
  async fn() {
    const index = await textOf("docs/README.md") + await textOf("docs/datasets/README.md");
    for (const page of await pages()) {
      const [folder, name = ""] = page.split("/", 1).concat(page.split("/").slice(1).join("/"));
      if (folder !== "docs" || name === "README.md") continue;
      assert(index.includes(`(${name})`) || index.includes(`(${name.replace("datasets/", "")})`), page);
    }
  },
});

Deno.test({
  name: "each task that the documentation calls is in deno.json, with options that it has",
  ignore: !canRead,
  async fn() {
    let calls = 0;
    for (const page of await pages()) {
      for (const [task = "", ...words] of callsIn(await textOf(page))) {
        const call = `${page}: deno task ${task} ${words.join(" ")}`;
        if (task === "NAME" || task === "X") continue;
        assert(Object.hasOwn(config.tasks, task), call);
        calls++;
        const known = TASK_COMMANDS[task]?.().options.flatMap(({ short, long }) => [short, long]);
        if (known === undefined) continue;
        for (const word of words.filter((word) => /^--?[a-z]/.test(word))) {
          assert([...known, "--help"].includes(word), `${call}: there is no ${word}`);
        }
      }
    }
    assert(calls > 50, `${calls} calls were found`);
  },
});
