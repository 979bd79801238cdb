import assert from "node:assert/strict";
import { ImageDecoders } from "../../src/images/image_decoders.ts";
import golden from "../golden/images.json" with { type: "json" };
import { canRead, canRun } from "../support/test_data.ts";

const ECHO = `data:application/javascript,${encodeURIComponent("onmessage = ({ data }) => postMessage(data)")}`;

Deno.test("decoding leaves the messages of other Workers alone", { ignore: !canRead }, async () => {
  const echo = new Worker(ECHO, { type: "module" });
  const answers: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  echo.addEventListener("message", ({ data }) => {
    answers.push(data);
    if (answers.length === 2000) resolve();
  });
  using decoders = new ImageDecoders({ count: 2 });
  const bytes = Uint8Array.fromBase64(golden.images["rgb-420.jpg"].file);
  for (let index = 0; index < 2000; index++) {
    echo.postMessage(index);
    if (index % 100 === 0) await decoders.decode({ bytes });
  }
  await promise;
  echo.terminate();
  assert.deepEqual(answers, Array.from({ length: 2000 }, (_, index) => index));
});

Deno.test("a process ends although a decoder was terminated in the middle", { ignore: !canRun }, async () => {
  const script = `
    import { ImageDecoders } from ${JSON.stringify(import.meta.resolve("../../src/images/image_decoders.ts"))};
    import golden from ${JSON.stringify(import.meta.resolve("../golden/images.json"))} with { type: "json" };
    const bytes = Uint8Array.fromBase64(golden.images["rgb-420.jpg"].file);
    const decoders = new ImageDecoders({ count: 2 });
    await decoders.decode({ bytes });
    const pending = Array.from({ length: 50 }, () => decoders.decode({ bytes }).catch(({ name }) => name));
    await pending[0];
    decoders[Symbol.dispose]();
    console.log((await Promise.all(pending)).at(-1));
  `;
  const args = ["eval", "--ext=ts", script];
  const { code, stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert.deepEqual([code, new TextDecoder().decode(stdout).trim()], [0, "AbortError"]);
});
