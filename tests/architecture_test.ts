import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { canRead } from "./support/test_data.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Each layer imports only from the layers after it. `leaf`: a file of `src/` itself. */
const LAYERS = [
  ["tasks"],
  ["mod.ts"],
  ["cli"],
  ["server"],
  ["doctor", "sample"],
  ["pipeline"],
  ["report"],
  ["evaluation"],
  ["data"],
  ["captioning"],
  ["explanation"],
  ["distributed"],
  ["checkpoint"],
  ["text"],
  ["images"],
  ["ffi"],
  ["build"],
  ["files"],
  ["leaf"],
];

type Imports = ReadonlyMap<string, readonly string[]>;

function layerOf(file: string): string {
  const [top = "", folder = "", inner] = file.split("/");
  if (top !== "src") return top;
  return inner === undefined ? "leaf" : folder;
}

/** Paths of all relative imports, type imports, dynamic imports and Workers included. */
function importsIn(file: string, text: string): string[] {
  const code = text.replaceAll(/^ *(?:\*|\/\/).*$/gm, "");
  const specifiers = code.matchAll(/(?:\bfrom|\bimport|\bimport\(|\bnew URL\()\s*"(\.[^"]*\.[jt]s)"/g);
  return [...specifiers].map(([, specifier = ""]) => join(dirname(file), specifier));
}

async function readImports(): Promise<Imports> {
  const imports = new Map<string, readonly string[]>();
  async function visit(folder: string): Promise<void> {
    for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
      if (isDirectory) await visit(join(folder, name));
      else if (name.endsWith(".ts")) await add(join(folder, name));
    }
  }
  async function add(file: string): Promise<void> {
    imports.set(file, importsIn(file, await Deno.readTextFile(join(ROOT, file))));
  }
  await Promise.all([visit("src"), visit("tasks"), add("mod.ts")]);
  return imports;
}

function upwardImports(imports: Imports): string[] {
  const levelOf = (file: string) => {
    const level = LAYERS.findIndex((layer) => layer.includes(layerOf(file)));
    assert(level >= 0, `${file}: ${layerOf(file)}/ has no place among the layers`);
    return level;
  };
  return [...imports].flatMap(([file, targets]) =>
    targets
      .filter((target) => layerOf(target) !== layerOf(file) && levelOf(target) <= levelOf(file))
      .map((target) => `${file} imports ${target}`)
  );
}

/** The files of a cycle in the order of their imports; undefined if there is none. */
function findCycle(imports: Imports): string[] | undefined {
  const done = new Set<string>();
  function follow(file: string, path: readonly string[]): string[] | undefined {
    const start = path.indexOf(file);
    if (start >= 0) return [...path.slice(start), file];
    if (done.has(file)) return undefined;
    for (const target of imports.get(file) ?? []) {
      const cycle = follow(target, [...path, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  }
  for (const file of imports.keys()) {
    const cycle = follow(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

Deno.test({
  name: "folders import only from folders below them",
  ignore: !canRead,
  fn: async () => assert.deepEqual(upwardImports(await readImports()), []),
});

Deno.test({
  name: "files form no cycle of imports",
  ignore: !canRead,
  fn: async () => assert.equal(findCycle(await readImports()), undefined),
});

Deno.test({
  name: "every import leads to a file",
  ignore: !canRead,
  async fn() {
    for (const [file, targets] of await readImports()) {
      for (const target of targets) {
        assert((await Deno.stat(join(ROOT, target))).isFile, `${file} imports ${relative(ROOT, target)}`);
      }
    }
  },
});

Deno.test("upward imports and cycles are found, of types and of Workers too", () => {
  const imports = new Map(
    Object.entries({
      "src/ffi/engine.ts": 'import type { Recipe } from "../pipeline/recipe.ts";',
      "src/pipeline/recipe.ts": 'export { type Rates } from "./rates.ts";',
      "src/pipeline/rates.ts": 'new Worker(new URL("./recipe.ts", import.meta.url));',
    }).map(([file, text]) => [file, importsIn(file, text)]),
  );
  assert.deepEqual(upwardImports(imports), ["src/ffi/engine.ts imports src/pipeline/recipe.ts"]);
  assert.deepEqual(findCycle(imports), [
    "src/pipeline/recipe.ts",
    "src/pipeline/rates.ts",
    "src/pipeline/recipe.ts",
  ]);
});
