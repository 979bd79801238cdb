import assert from "node:assert/strict";
import { join } from "node:path";
import { drawDataset, drawSquare, TINY } from "../../support/draw_dataset.ts";
import { assertDone, assertRefused, runTask, withoutModelLines } from "../../support/run_task.ts";
import { canServe, folderWithModel, MODEL, serve } from "./start_server.ts";

const ignore = !canServe;
const COLORS = ["red", "green", "blue"] as const;

async function caption(url: string, image: Uint8Array<ArrayBuffer>): Promise<Response> {
  return await fetch(`${url}/api/caption`, { method: "POST", body: image });
}

Deno.test({
  name: "serve answers 200 simultaneous requests in fewer batches, each as if alone, bad ones included",
  ignore,
  async fn() {
    await using folder = await folderWithModel();
    const server = await serve(folder.path);
    const images = COLORS.map((color) => drawSquare(color, 3));
    const alone: string[] = [];
    for (const image of images) alone.push((await (await caption(server.url, image)).json()).text);
    const before = (await (await fetch(`${server.url}/api/health`)).json()).batches;
    const bad = new TextEncoder().encode("no image");
    const requests = Array.from({ length: 200 }, (_, index) => index % 10 === 9 ? bad : images[index % 3] ?? bad);
    const answers = await Promise.all(requests.map(async (image) => {
      const answer = await caption(server.url, image);
      return { status: answer.status, ...await answer.json() };
    }));
    for (const [index, { status, text }] of answers.entries()) {
      if (index % 10 === 9) assert.equal(status, 422);
      else assert.deepEqual([status, text], [200, alone[index % 3]]);
    }
    const { batches, requests: left } = await (await fetch(`${server.url}/api/health`)).json();
    assert.equal(left, 0);
    assert(batches - before < 180, `${batches - before} batches`);
    server.press();
    assertEnded(await server.ended);
  },
});

Deno.test({
  name: "serve finishes requests in progress before it ends with exit code 0",
  ignore,
  async fn() {
    await using folder = await folderWithModel();
    const server = await serve(folder.path);
    const answers = Array.from({ length: 20 }, () => caption(server.url, drawSquare("red", 1)));
    await Promise.race(answers);
    server.press();
    for (const answer of await Promise.all(answers)) {
      assert.equal(answer.status, 200);
      await answer.json();
    }
    assertEnded(await server.ended);
    await assert.rejects(fetch(server.url), TypeError);
  },
});

Deno.test({
  name: "serve finishes an upload in progress when stopped, and refuses new requests",
  ignore,
  async fn() {
    await using folder = await folderWithModel();
    const server = await serve(folder.path);
    const { hostname, port } = new URL(server.url);
    using connection = await Deno.connect({ hostname, port: Number(port) });
    const image = drawSquare("red", 1);
    const head = `POST /api/caption HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${image.length}\r\n\r\n`;
    await connection.write(new Uint8Array([...new TextEncoder().encode(head), ...image.subarray(0, 10)]));
    while ((await (await fetch(`${server.url}/api/health`)).json()).requests === 0);
    server.press();
    await server.printed(/Stopping/);
    const late = await caption(server.url, image);
    assert.equal(late.status, 503);
    assert.match((await late.json()).detail, /^The server is stopping/);
    await connection.write(image.subarray(10));
    const answer = await new Response(connection.readable).text();
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /"text":/);
    assertEnded(await server.ended);
  },
});

Deno.test({
  name: "serve survives more connections than the system allows",
  ignore: ignore || Deno.build.os === "windows",
  async fn() {
    await using folder = await folderWithModel();
    const under = ["sh", "-c", 'ulimit -n 100; exec "$@"', "sh"];
    const server = await serve(folder.path, [], { under });
    const { hostname, port } = new URL(server.url);
    const connections = await Promise.allSettled(
      Array.from({ length: 150 }, () => Deno.connect({ hostname, port: Number(port) })),
    );
    await server.printed(/error: Cannot accept connections: .*Too many open files/);
    for (const connection of connections) if (connection.status === "fulfilled") connection.value.close();
    const answers = async () => {
      const answer = await caption(server.url, drawSquare("red", 1)).catch(() => undefined);
      return answer !== undefined && typeof (await answer.json()).text === "string";
    };
    while (!await answers()) await new Promise((resolve) => setTimeout(resolve, 100));
    server.press();
    assert.equal((await server.ended).code, 0);
  },
});

Deno.test({
  name: "serve searches a folder, serves its images, and names unreadable ones",
  ignore,
  async fn() {
    const images = Object.fromEntries(COLORS.map((color) => [`photos/${color}.png`, drawSquare(color, 1)]));
    await using folder = await folderWithModel({ ...images, "photos/text.png": "no image", "secret.png": "secret" });
    const server = await serve(folder.path, ["--images", "photos"]);
    await server.printed(/text\.png/);
    const { images: found } = await (await fetch(`${server.url}/api/search?query=a red square`)).json();
    assert.deepEqual(found.map(({ name }: { name: string }) => name).toSorted(), [
      "blue.png",
      "green.png",
      "red.png",
    ]);
    const [first] = found;
    const file = await fetch(`${server.url}${first.url}`);
    assert.equal(file.headers.get("content-type"), "image/png");
    const bytes = new Uint8Array(await file.arrayBuffer());
    assert.deepEqual(bytes, drawSquare(first.name.replace(".png", ""), 1));
    for (const path of ["/api/images/3", "/api/images/..%2F..%2Fsecret.png", "/secret.png"]) {
      const answer = await fetch(`${server.url}${path}`);
      assert.equal(answer.status, 404, path);
      await answer.body?.cancel();
    }
    server.press();
    const { code, stderr } = await server.ended;
    assert.equal(code, 0);
    assert.match(stderr, /Cannot decode image '.*text\.png'/);
  },
});

Deno.test({
  name: "serve shows a run, and new epochs as they come",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    assertDone(await runTask("train", [...TINY, "--data", "drawn", "--out", "run"], { folder: folder.path }));
    const model = ["--checkpoint", "run/best.safetensors"];
    const server = await serve(folder.path, [...model, "--run", "run"]);
    const epochs = async () => (await (await fetch(`${server.url}/api/run`)).json()).epochs.length;
    assert.equal(await epochs(), 1);
    const metrics = join(folder.path, "run", "metrics.jsonl");
    const line = await Deno.readTextFile(metrics);
    await Deno.writeTextFile(metrics, line + line.replace('"epoch":1', '"epoch":2'));
    assert.equal(await epochs(), 2);
    const report = await (await fetch(`${server.url}/run`)).text();
    assert.match(report, /<title>Run run/);
    server.press();
    assertEnded(await server.ended);
  },
});

Deno.test({
  name: "serve refuses what it cannot serve in one line",
  ignore,
  async fn(t) {
    await using folder = await folderWithModel({ "empty/text.txt": "", "file": "" });
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const cases: Record<string, [args: readonly string[], pattern: RegExp]> = {
      "a port in use": [["--port", String(taken.addr.port)], /Cannot listen on 127\.0\.0\.1, port \d+: .*--port/],
      "an invalid port": [["--port", "65536"], /'--port <n>'.*0 to 65535/],
      "an address without permission": [["--host", "192.0.2.1"], /Cannot listen on 192\.0\.2\.1.*0\.0\.0\.0/],
      "a folder without images": [["--images", "empty"], /Cannot search: .*empty/],
      "a missing folder": [["--images", "gone"], /Cannot search: there is no folder .*gone/],
      "a folder that is not a run": [["--run", "empty"], /Cannot report on '.*empty'/],
      "an argument": [["photo.jpg"], /too many arguments/],
    };
    for (const [name, [args, pattern]] of Object.entries(cases)) {
      await t.step(name, async () => {
        assertRefused(await runTask("serve", [...MODEL, ...args], { folder: folder.path }), pattern);
      });
    }
    await t.step("a missing model", async () => {
      assertRefused(
        await runTask("serve", ["--checkpoint", "gone.safetensors"], { folder: folder.path }),
        /gone\.safetensors/,
      );
    });
  },
});

/** Fails if a server did not stop cleanly, or printed anything else. */
function assertEnded({ code, stderr }: { readonly code: number; readonly stderr: string }): void {
  assert.equal(code, 0, stderr);
  assert.equal(
    withoutModelLines(stderr),
    "\nStopping after the requests in progress; press Ctrl-C again to quit at once\n",
  );
}
