import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { canRead, canRun } from "./test_data.ts";

Deno.test({
  name: "mod.ts can be imported without any permission",
  ignore: !canRun || !canRead,
  async fn() {
    const module = fileURLToPath(new URL("../mod.ts", import.meta.url));
    // --cached-only: what an import needs was fetched for the tests themselves.
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--cached-only", module],
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    }).output();
    const text = new TextDecoder();
    assert.deepEqual({ code, out: text.decode(stdout), err: text.decode(stderr) }, { code: 0, out: "", err: "" });
  },
});
