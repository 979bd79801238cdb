import assert from "node:assert/strict";
import { encodePng } from "../../../../src/images/encode_png.ts";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { Random } from "../../../../src/random.ts";
import { canRead, canRun, canWrite } from "../../../support/test_data.ts";
import { makeFolder } from "../../../support/temporary_folder.ts";

const ignore = !canRead || !canWrite || !canRun;
const PROCESS = fileURLToPath(new URL("./fill_process.ts", import.meta.url));
const COUNT = 800;
const KILLS = 10;
/** Maximum number of images a process has decoded when it is killed. */
const LONGEST_LIFE = 180;
/** A process that takes longer hangs. */
const DEADLINE_MS = 60_000;

const Result = z.object({
  resized: z.int(),
  fingerprint: z.string(),
  broken: z.int(),
  pixels: z.string(),
  examples: z.int(),
});

/** Different images, and two files that are not images. */
async function drawPictures() {
  const side = 48;
  const files: Record<string, Uint8Array> = {};
  for (let image = 0; image < COUNT; image++) {
    const data = Uint8Array.from({ length: side * side * 3 }, (_, index) => (index * (image + 3) + image) >> 3);
    const png = encodePng({ width: side, height: side, pixels: data });
    files[`images/${String(image).padStart(4, "0")}.png`] = new Uint8Array(png);
  }
  files["images/0007.png"] = new TextEncoder().encode("not an image");
  files["images/0400.png"] = new TextEncoder().encode("nor this");
  return await makeFolder(files);
}

function startProcess(folder: string, cache: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", "--allow-write", PROCESS, join(folder, "images"), join(folder, cache)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(DEADLINE_MS),
  }).spawn();
}

async function ended(process: Deno.ChildProcess): Promise<z.infer<typeof Result>> {
  const [result, { code }] = await Promise.all([lastLine(process.stdout), process.status]);
  assert.equal(code, 0);
  return result;
}

async function lastLine(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<z.infer<typeof Result>> {
  const [last = ""] = (await new Response(output).text()).trimEnd().split("\n").slice(-1);
  return Result.parse(JSON.parse(last));
}

/** Waits until a process has printed a line. */
async function printed(output: ReadableStream<Uint8Array<ArrayBuffer>>, line: string): Promise<void> {
  let text = "";
  for await (const piece of output.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.split("\n").includes(line)) return;
  }
  assert.fail(`'${line}' was not printed in:\n${text}`);
}

function killIfRunning(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

/** A process that does not outlive a failed test, stopped or not. */
function killedAtLast(process: Deno.ChildProcess): Deno.ChildProcess & Disposable {
  return Object.assign(process, { [Symbol.dispose]: () => killIfRunning(process) });
}

/** Kills a process after a number of images; false if it finished first. */
async function killAfter(process: Deno.ChildProcess, images: number): Promise<boolean> {
  let lines = 0;
  for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
    lines += text.split("\n").length - 1;
    if (lines < images) continue;
    killIfRunning(process);
  }
  const { signal } = await process.status;
  return signal === "SIGKILL";
}

Deno.test({
  name: "a cache whose filling is killed again and again ends whole, with the pixels of one that was not",
  ignore,
  async fn() {
    await using folder = await drawPictures();
    const whole = await ended(startProcess(folder.path, "whole"));
    assert.deepEqual([whole.examples, whole.broken, whole.resized], [COUNT - 2, 2, COUNT - 2]);
    const random = new Random(5);
    let killed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const process = startProcess(folder.path, "killed");
      if (await killAfter(process, 1 + random.below(LONGEST_LIFE))) killed++;
    }
    assert(killed > KILLS / 2, `${killed} were killed while they decoded`);
    const { resized, ...resumed } = await ended(startProcess(folder.path, "killed"));
    assert.deepEqual({ ...resumed, resized: COUNT - 2 }, whole);
    assert(resized < COUNT - 2, "what was whole is kept");
    assert.equal((await ended(startProcess(folder.path, "killed"))).resized, 0);
  },
});

Deno.test({
  name: "a process that opens a cache while another fills it waits, and finds all there",
  ignore,
  async fn() {
    await using folder = await drawPictures();
    using filler = killedAtLast(startProcess(folder.path, "cache"));
    const [watched, kept] = filler.stdout.tee();
    await printed(watched, "1");
    filler.kill("SIGSTOP");
    using waiter = killedAtLast(startProcess(folder.path, "cache"));
    const [watchedToo, keptToo] = waiter.stdout.tee();
    await printed(watchedToo, "waiting");
    filler.kill("SIGCONT");
    const [one, other] = await Promise.all([kept, keptToo].map(lastLine));
    assert.deepEqual({ ...other, resized: COUNT - 2 }, one);
    assert.equal(other?.resized, 0);
    assert.deepEqual((await Promise.all([filler.status, waiter.status])).map(({ code }) => code), [0, 0]);
  },
});
