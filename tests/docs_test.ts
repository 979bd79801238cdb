import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { TASK_COMMANDS } from "./support/task_commands.ts";
import { FORMAT_NAMES } from "../src/data/format_names.ts";
import { PARQUET_IN_PYTHON } from "../src/data/file_kind.ts";
import { ENCODERS } from "../src/ffi/encoders.ts";
import { symbols } from "../src/ffi/symbols.ts";
import { canRead } from "./support/test_data.ts";
import config from "../deno.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Paths of all pages, relative to the project. */
async function pages(): Promise<string[]> {
  const found: string[] = [];
  async function visit(folder: string): Promise<void> {
    for await (const { name, isFile, isDirectory } of Deno.readDir(join(ROOT, folder))) {
      if (isDirectory && folder !== "") await visit(join(folder, name));
      if (isFile && name.endsWith(".md")) found.push(join(folder, name));
    }
  }
  for (const folder of ["", "docs", "bench", "models"]) await visit(folder);
  return found.toSorted();
}

async function textOf(page: string): Promise<string> {
  return await Deno.readTextFile(join(ROOT, page));
}

/** A page without its blocks of code. */
function proseOf(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, "").replaceAll(/^ {4}.*$/gm, "");
}

/** The anchor of a heading. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

/** Calls of tasks in blocks of shell code: name and arguments. */
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
  name: "each relative link of the documentation leads to a file or folder, and each anchor to a heading",
  ignore: !canRead,
  async fn() {
    for (const page of await pages()) {
      for (const [, target = ""] of proseOf(await textOf(page)).matchAll(/(?:\]\(|src=")([^)\s"]+)[)"]/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = "", anchor] = target.split("#");
        const file = path === "" ? page : join(dirname(page), path);
        const link = `${page}: ${target}`;
        assert(!relative(ROOT, join(ROOT, file)).startsWith(".."), link);
        await Deno.stat(join(ROOT, file)).catch(() => assert.fail(`${link} does not exist`));
        if (anchor === undefined) continue;
        const anchors = [...(await textOf(file)).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
        assert(anchors.includes(anchor), `${link}: there is no such heading`);
      }
    }
  },
});

Deno.test({
  name: "docs/README.md links to each page of docs",
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
  name: "each task that the documentation calls exists, with the options it is called with",
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

Deno.test({
  name: "docs/permissions.md lists each task with exactly its permissions",
  ignore: !canRead,
  async fn() {
    const rows = [...(await textOf("docs/permissions.md")).matchAll(/^\| `([\w:]+)` \| (.*?) \|/gm)].map(
      ([, task = "", cell = ""]) => {
        return [task, [...cell.matchAll(/`(-[^`]+)`/g)].map(([, flag = ""]) => flag).toSorted()];
      },
    );
    // The table gives the paths and variables of these two once, below.
    const shortened = (flag: string) => flag.replace(/^(--allow-(?:ffi|env))=.*/, "$1");
    const permissions = Object.entries(config.tasks).map(([task, { command }]) => {
      const flags = command.split(" ").filter((word) => /^(?:-A$|--allow-)/.test(word));
      return [task, flags.map(shortened).toSorted()];
    });
    assert.deepEqual(Object.fromEntries(rows), Object.fromEntries(permissions));
  },
});

Deno.test({
  name: "CONTRIBUTING lists each folder and file of src",
  ignore: !canRead,
  async fn() {
    const text = await textOf("CONTRIBUTING.md");
    for await (const { name, isDirectory } of Deno.readDir(join(ROOT, "src"))) {
      const path = `src/${name}${isDirectory ? "/" : ""}`;
      assert(text.includes(`| \`${path}\` |`), `${path} is missing`);
    }
  },
});

Deno.test({
  name: "docs/your-own-data.md lists each format of captions, and converts Parquet as the program says",
  ignore: !canRead,
  async fn() {
    const text = await textOf("docs/your-own-data.md");
    const table = text.slice(text.indexOf("| `--format` |"), text.indexOf("Text is UTF-8"));
    const rows = [...table.matchAll(/^\| `(\w[\w-]*)` \|/gm)].map(([, name]) => name);
    assert.deepEqual(rows.toSorted(), FORMAT_NAMES.toSorted());
    for (const lines of Object.values(PARQUET_IN_PYTHON)) assert(text.includes(lines.join("\n")), lines.join("\n"));
  },
});

Deno.test({
  name: "README has at most 160 lines",
  ignore: !canRead,
  async fn() {
    const lines = (await textOf("README.md")).trimEnd().split("\n").length;
    assert(lines <= 160, `${lines} lines`);
  },
});

Deno.test({
  name: "README and docs/training.md give the sizes of downloads that the program announces",
  ignore: !canRead,
  async fn() {
    const [readme, training] = [await textOf("README.md"), await textOf("docs/training.md")];
    const rows = [
      ["libtorch", /for the CPU: (.*?) to download, (.*?)"/, "src/build/install_libtorch.ts"],
      ["cmake and ninja, if missing", /into native\/\.cmake, (.*?) to download/, "src/build/find_cmake.ts"],
    ] as const;
    for (const [name, announcement, file] of rows) {
      const sizes = (await textOf(file)).match(announcement)?.slice(1) ?? assert.fail(`${file} announces no size`);
      assert(readme.includes(`| ${name} | ${sizes.join(", ")} |`), `${name}: ${sizes.join(", ")}`);
    }
    assert(readme.includes(`| EfficientNet-Lite2 | ${ENCODERS["efficientnet-lite2"].megabytes} MB |`));

    const range = `${ENCODERS.resnet18.megabytes} to ${ENCODERS.resnet152.megabytes} MB`;
    assert(training.includes(`torchvision's V1, ${range} (${ENCODERS.resnet50.megabytes} MB for \`resnet50\`)`));
    for (const name of ["efficientnet-lite0", "efficientnet-lite2"] as const) {
      assert(training.includes(`| \`${name}\` | from a Python package, ${ENCODERS[name].megabytes} MB,`), name);
    }
    for (const name of Object.keys(ENCODERS)) assert(training.includes(`\`${name}\``), name);
    assert(readme.includes(`| ResNet-50, in its first training | ${ENCODERS.resnet50.megabytes} MB |`));
  },
});

Deno.test({
  name: "docs/how-it-works.md counts the functions of the C ABI",
  ignore: !canRead,
  async fn() {
    const counted = (await textOf("docs/how-it-works.md")).match(/opaque handles and (\d+) coarse/)?.[1];
    assert.equal(Number(counted), Object.keys(symbols).length);
  },
});

Deno.test({
  name: "docs/how-it-works.md has a row for each dependency",
  ignore: !canRead,
  async fn() {
    const table = (await textOf("docs/how-it-works.md")).split("\n## Dependencies\n")[1] ?? "";
    const rows = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = ""]) =>
      cell.replaceAll("`", "").split(", ")
    );
    const packages = Object.keys(config.imports).map((name) => name.replace(/\/$/, ""))
      .filter((name) => !name.startsWith("@types/"));
    assert.deepEqual(rows.toSorted(), [...new Set(packages)].toSorted());
  },
});
