import assert from "node:assert/strict";
import { MODEL_LIMITS } from "../../src/checkpoint/limits.ts";
import { STATUS } from "../../src/ffi/status.ts";
import { STRUCTS } from "../../src/ffi/struct.ts";
import { ABI_VERSION, symbols } from "../../src/ffi/symbols.ts";
import { TEST_SYMBOLS } from "../support/test_abi.ts";
import { canRead } from "../support/test_data.ts";

const NATIVE_TYPES: Record<string, string> = { uint32_t: "u32", int32_t: "i32", int64_t: "i64", void: "void" };
const FIELD_TYPES: Record<string, string> = { int32_t: "i32", int64_t: "i64", double: "f64", char: "char" };

async function readHeader(name: "lrcn.h" | "lrcn_test.h" = "lrcn.h"): Promise<string> {
  const text = await Deno.readTextFile(new URL(`../../native/include/${name}`, import.meta.url));
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "");
}

/** A handle is opaque; every other pointer is to a buffer of the caller's. */
function nativeType(declaration: string): string {
  const isHandle = /^lrcn_(engine|group|decoding) \*\w*$/.test(declaration);
  if (declaration.includes("*")) return isHandle ? "pointer" : "buffer";
  return NATIVE_TYPES[declaration.split(" ")[0] ?? ""] ?? declaration;
}

for (const [file, table, least] of [["lrcn.h", symbols, 15], ["lrcn_test.h", TEST_SYMBOLS, 0]] as const) {
  Deno.test({
    name: `symbols holds every function of ${file} with its types, and no other`,
    ignore: !canRead,
    async fn() {
      const header = await readHeader(file);
      const declared: Record<string, { parameters: string[]; result: string }> = {};
      for (
        const [, result = "", name = "", list = ""] of header.matchAll(/LRCN_EXPORT ([\w ]+[ *])(lrcn_\w+)\(([^)]*)\)/g)
      ) {
        const parameters = list.trim() === "void" ? [] : list.split(",").map((text) => nativeType(text.trim()));
        declared[name] = { parameters, result: nativeType(result.trim()) };
      }
      assert(Object.keys(declared).length > least);
      const held = Object.entries(table).map((
        [name, { parameters, result }],
      ) => [name, { parameters: [...parameters], result }]);
      assert.deepEqual(Object.fromEntries(held), declared);
    },
  });
}

Deno.test({
  name: "symbols names each parameter as lrcn.h does",
  ignore: !canRead,
  async fn() {
    const source = await Deno.readTextFile(new URL("../../src/ffi/symbols.ts", import.meta.url));
    const commented = [...source.matchAll(/"\w+", \/\/ (.+)/g)].map(([, text]) => text);
    const declared = [...(await readHeader()).matchAll(/LRCN_EXPORT [\w *]+ \*?lrcn_\w+\(([^)]*)\)/g)]
      .flatMap(([, list = ""]) =>
        list.trim() === "void" ? [] : list.split(",").map((text) => text.trim().replaceAll(/\s+/g, " "))
      );
    assert.deepEqual(commented, declared);
  },
});

Deno.test({
  name: "STRUCTS holds the fields of lrcn.h in their order",
  ignore: !canRead,
  async fn() {
    const header = await readHeader();
    for (const [name, layout] of Object.entries(STRUCTS)) {
      const body = header.match(new RegExp(`typedef struct ${name} \\{([^}]*)\\}`))?.[1] ?? "";
      const fields = [...body.matchAll(/(\w+) (\w+)(?:\[(\d+)\])?;/g)].map(([, type = "", field, count]) => ({
        name: field,
        type: FIELD_TYPES[type],
        count: Number(count ?? 1),
      }));
      assert.deepEqual(fields, [{ name: "size", type: "i32", count: 1 }, ...layout]);
    }
  },
});

Deno.test({
  name: "STATUS and ABI_VERSION are those of lrcn.h",
  ignore: !canRead,
  async fn() {
    const header = await readHeader();
    const body = header.match(/typedef enum lrcn_status \{([^}]*)\}/)?.[1] ?? "";
    const codes = [...body.matchAll(/LRCN_(\w+) = (\d+)/g)].map(([, name, code]) => [name, Number(code)]);
    assert.deepEqual(Object.fromEntries(codes), STATUS);
    assert.equal(header.match(/LRCN_ABI_VERSION = (\d+)/)?.[1], String(ABI_VERSION));
  },
});

Deno.test({
  name: "MODEL_LIMITS, which recipes and checkpoints go by, are those of lrcn.h",
  ignore: !canRead,
  async fn() {
    const header = await readHeader();
    const declared = Object.fromEntries(
      [...header.matchAll(/LRCN_(\w+)_MAX = (\d+)/g)].map(([, name, value]) => [name, Number(value)]),
    );
    const snake = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    const expected = Object.entries(MODEL_LIMITS).map(([name, [, most]]) => [snake(name), most]);
    assert.deepEqual(declared, Object.fromEntries(expected));
  },
});
