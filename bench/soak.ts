/**
 * Trains, captions and serves at once for thirty minutes after all are at work, and samples the memory of each process. Exit
 * code 1 if one grows by more than 5% from the second quarter of the time to the last, or ends early. Needs Linux. With --smoke
 * it trains a small model for seconds, and memory may grow; --minutes N sets the time.
 *
 *     deno run --allow-read --allow-write --allow-env --allow-run --allow-net=127.0.0.1 bench/soak.ts
 *
 * @module
 */

import { dirname, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { readMemory } from "./peak_memory.ts";
import { isFlat } from "./flat.ts";
import { PROJECT, taskCommand } from "./task_command.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: { smoke: { type: "boolean", default: false }, minutes: { type: "string" } },
});
const minutes = Number(values.minutes ?? (values.smoke ? 0.2 : 30));
if (!(minutes > 0)) throw new RangeError(`Cannot measure for ${values.minutes} minutes`);
const SAMPLES = 40;
const IMAGES = join(PROJECT, "docs/example/scenes/Images");

/** A running task. */
interface Task {
  readonly name: string;
  readonly process: Deno.ChildProcess;
  /** Resident memory in bytes, sample by sample. */
  readonly memory: number[];
  /** Rounds of work so far. */
  rounds: number;
}

function start(name: "train" | "caption" | "serve", args: readonly string[]): Task {
  const { command, args: words, cwd } = taskCommand(name, args);
  const process = new Deno.Command(command, {
    args: [...words],
    cwd,
    // With INIT_CWD, as under deno task, they end with this process.
    env: { NO_COLOR: "1", INIT_CWD: PROJECT },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  return { name, process, memory: [], rounds: 0 };
}

/** The lines that a task prints. */
async function* linesOf({ process }: Task): AsyncGenerator<string, void, undefined> {
  let rest = "";
  for await (const piece of process.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** Counts the epochs. */
async function train(task: Task): Promise<void> {
  for await (const line of linesOf(task)) if (/^Epoch \d+\/\d+: train/.test(line)) count(task);
}

/** Counts a round; the first one shows that the task is at work. */
function count(task: Task): void {
  task.rounds++;
  if (tasks.every(({ rounds }) => rounds > 0)) atWork.resolve();
}

/** Gives the captioner an image whenever it has captioned one. */
async function caption(task: Task, images: readonly string[], ended: AbortSignal): Promise<void> {
  const writer = task.process.stdin.getWriter();
  const give = () => writer.write(new TextEncoder().encode(`${images[task.rounds % images.length]}\n`));
  await give();
  for await (const _line of linesOf(task)) {
    count(task);
    if (ended.aborted) break;
    await give();
  }
  await writer.close();
}

/** Uploads images to the server, one after the other. */
async function ask(task: Task, images: readonly string[], ended: AbortSignal): Promise<void> {
  const lines = linesOf(task);
  const [, url] = (await lines.next()).value?.match(/(http:\/\/[\d.:]+)/) ?? [];
  while (!ended.aborted) {
    const body = await Deno.readFile(images[task.rounds % images.length] ?? "");
    const response = await fetch(`${url}/api/caption`, { method: "POST", body });
    if (!response.ok) throw new Error(`the server answers with status ${response.status}`);
    await response.json();
    count(task);
  }
  task.process.kill("SIGTERM");
  for await (const _line of lines);
}

const work = await Deno.makeTempDir({ prefix: "lrcn-soak-" });
const images = Array.from(Deno.readDirSync(IMAGES), ({ name }) => join(IMAGES, name)).sort();
const threads = ["--threads", "1", "--device", "cpu"];
const endless = ["--epochs", "1000000", "--set", "patience=0", "--checkpoint-every", "50"];
const small = ["--data", dirname(IMAGES), "--image-size", "16", "--set", "minCount=1", "--set", "encoderWidth=8"];
const training = start("train", [
  ...["--out", join(work, "run"), "--cache", join(work, "cache")],
  ...endless,
  ...threads,
  ...(values.smoke ? [...small, "--set", "encoderBlocks=1,1,1,1"] : []),
]);
const captioning = start("caption", ["--jsonl", "--quiet", ...threads, "-"]);
const serving = start("serve", ["--port", "0", ...threads]);
const tasks = [training, captioning, serving];
const atWork = Promise.withResolvers<void>();
const ended = new AbortController();
ended.signal.addEventListener("abort", () => atWork.resolve());
let failed = false;
const early = Promise.all(tasks.map(async ({ name, process }) => {
  const { code } = await process.status;
  if (ended.signal.aborted) return;
  failed = true;
  console.error(`${name} ended early with exit code ${code}`);
  ended.abort();
}));
const doing = Promise.all([
  train(training),
  caption(captioning, images, ended.signal),
  ask(serving, images, ended.signal),
]).catch((error) => {
  failed = true;
  console.error(`failed: ${error instanceof Error ? error.message : error}`);
  ended.abort();
});

await atWork.promise;
for (let sample = 1; sample <= SAMPLES && !ended.signal.aborted; sample++) {
  await new Promise((resolve) => setTimeout(resolve, minutes * 60_000 / SAMPLES));
  for (const { process, memory } of tasks) memory.push(await readMemory(process.pid, "VmRSS"));
  if (sample % (SAMPLES / 10) !== 0) continue;
  const figures = tasks.map(({ name, memory, rounds }) => `${name} ${megabytes(memory.at(-1))} MB, ${rounds} rounds`);
  console.log(`${(sample * minutes / SAMPLES).toFixed(1)} min: ${figures.join("; ")}`);
}
ended.abort();
training.process.kill("SIGTERM");
await Promise.all([doing, early]);
await Deno.remove(work, { recursive: true });

for (const { name, memory, rounds } of tasks) {
  const { flat, growth } = isFlat(memory);
  if (rounds === 0) failed = true;
  console.log(
    `${name}: ${flat ? "flat" : "NOT flat"}, ${(100 * growth).toFixed(1)}% more in the last quarter than in the second`,
  );
  if (!values.smoke && !flat) failed = true;
}
process.exitCode = failed ? 1 : 0;

function megabytes(bytes = NaN): string {
  return (bytes / 1e6).toFixed(0);
}
