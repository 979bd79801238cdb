import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import config from "../deno.json" with { type: "json" };
import { canRead, canRun } from "./support/test_data.ts";

/** What a program can import, as deno.json names it. */
const MODULES = Object.values(config.exports).map((path) => fileURLToPath(new URL(`../${path}`, import.meta.url)));

/** What `deno doc --json` says, as far as it is looked at. */
const documentation = z.object({
  nodes: z.record(
    z.string(),
    z.object({
      symbols: z.array(z.object({
        name: z.string(),
        declarations: z.array(z.object({
          kind: z.string(),
          jsDoc: z.object({
            doc: z.string().optional(),
            tags: z.array(z.object({ kind: z.string(), doc: z.string().optional() })).default([]),
          }).optional(),
        })),
      })),
    }),
  ),
});

/** Runs Deno. --cached-only: what an import needs was fetched for the tests themselves. */
async function deno(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
  }).output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

Deno.test({
  name: "each module that is exported can be imported without any permission",
  ignore: !canRun || !canRead,
  async fn() {
    for (const path of MODULES) {
      assert.deepEqual(await deno("run", "--no-prompt", "--cached-only", path), { code: 0, out: "", err: "" });
    }
  },
});

Deno.test({
  name: "each export has a summary, and each function, class and constant a titled example that runs",
  ignore: !canRun || !canRead,
  async fn() {
    const documented = await Promise.all(MODULES.map(async (path) => {
      const { nodes } = documentation.parse(JSON.parse((await deno("doc", "--json", path)).out));
      return Object.values(nodes).flatMap(({ symbols }) => symbols);
    }));
    const symbols = documented.flat();
    assert(symbols.length > 100, `${symbols.length} exports were found`);
    for (const { name, declarations } of symbols) {
      for (const { kind, jsDoc } of declarations) {
        assert(jsDoc?.doc, `${name} has no summary`);
        if (!["function", "class", "variable"].includes(kind)) continue;
        const examples = jsDoc.tags.flatMap(({ kind, doc = "" }) => kind === "example" ? [doc.trim()] : []);
        assert(examples.length > 0, `${name} has no example`);
        for (const example of examples) {
          assert.match(example, /^\S.*\n```ts\n(?:.*\n)+```$/, `an example of ${name} has no title, or does not run`);
          assert.match(example, /from "@lrcn\/lrcn(\/[a-z]+)?";/, `an example of ${name} does not import the package`);
          assert.match(example, /\bassert\b/, `an example of ${name} proves nothing`);
        }
      }
    }
  },
});

Deno.test({
  name: "metrics, data and images need no code of the native library",
  ignore: !canRun || !canRead,
  async fn() {
    for (const path of MODULES.filter((path) => /\/(evaluation|data|images)\//.test(path))) {
      const { out } = await deno("info", "--json", path);
      const { modules } = z.object({ modules: z.array(z.object({ specifier: z.string() })) }).parse(JSON.parse(out));
      const native = modules.filter(({ specifier }) => specifier.endsWith("/src/ffi/library.ts"));
      assert.deepEqual(native, [], path);
    }
  },
});
