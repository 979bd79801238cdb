/**
 * `deno task bench`: everything that is measured, beside what a user of PyTorch would run, on drawn images.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createCommand, runTask, userPath } from "../src/cli/command.ts";
import { buildInfo, loadLibrary } from "../src/ffi/library.ts";
import { InputError } from "../src/input_error.ts";
import { type BenchContext, PROJECT } from "./context.ts";
import { batchRows } from "./rows/batches.ts";
import { captioningRows } from "./rows/captioning.ts";
import { imageRows } from "./rows/images.ts";
import { lrcnRows, notebookRows } from "./rows/training.ts";
import { formatTable, type Row } from "./table.ts";

const PHOTOGRAPHS = 320;
/** Where Debian, Ubuntu and Fedora have it. */
const JEMALLOC = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64"].map((folder) =>
  `${folder}/libjemalloc.so.2`
);
/** What is written. */
interface Result {
  readonly machine: string;
  readonly commit: string;
  readonly torch: string;
  readonly deno: string;
  readonly rows: readonly Row[];
}

const PARTS = ["notebook", "lrcn", "batches", "caption", "images"] as const;

const RESULTS = join(PROJECT, "bench", "results");
const README = join(PROJECT, "bench", "README.md");

/** Puts the table where README.md shows the latest. */
async function updateReadme(name: string, { machine, torch, commit, deno, rows }: Result): Promise<void> {
  const made = `${machine}; torch ${torch}, Deno ${deno}, commit ${commit} ([JSON](results/${name}.json)).`;
  const text = await Deno.readTextFile(README);
  const [before = "", after = ""] = text.split(/(?<=<!-- table -->\n)[^]*(?=<!-- \/table -->)/);
  await Deno.writeTextFile(README, `${before}\n${made}\n\n${formatTable(rows)}\n${after}`);
}

/** Runs a program and returns what it prints. */
async function output(command: string, args: readonly string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command(command, { args: [...args], cwd: PROJECT, stderr: "inherit" })
    .output();
  if (!success) throw new InputError(`Cannot measure: '${[command, ...args].join(" ")}' has failed, as said above`);
  return new TextDecoder().decode(stdout).trim();
}

/** Trains a decoder for some seconds, so that captions are as long as they are. */
async function trainModel({ data, work, device }: BenchContext): Promise<string> {
  const out = join(work, "run");
  // A random encoder may not stay frozen to the end.
  const settings = ["epochs=9", "frozenEpochs=8", "trainableFrom=layer4", "frozenLearningRate=0.002", "minCount=1"];
  const script = ["run", "--allow-ffi=native/build/liblrcn.so", "--allow-read", "--allow-write"];
  await output(Deno.execPath(), [
    ...[...script, "--allow-env=INIT_CWD", "--allow-sys=statfs", "tasks/train.ts", "--data", data, "--out", out],
    ...["--cache", work, "--device", device, "--encoder-weights", "none"],
    ...settings.flatMap((setting) => ["--set", setting]),
  ]);
  return join(out, "best.safetensors");
}

async function* measure(
  context: BenchContext,
  options: { only: readonly string[]; checkpoint?: string; examples?: string },
): AsyncGenerator<Row> {
  const { data } = context;
  const folder = options.examples ?? join(data, "Images");
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => join(folder, name)).sort();
  const files = options.examples === undefined ? names.slice(0, context.quick ? 32 : 96) : names;
  if (options.only.includes("notebook")) yield* notebookRows(context);
  if (options.only.includes("lrcn")) yield* lrcnRows(context);
  if (options.only.includes("batches")) yield* batchRows(context);
  if (options.only.includes("caption")) {
    yield* captioningRows(context, { checkpoint: options.checkpoint ?? await trainModel(context), files });
  }
  if (options.only.includes("examples")) yield* imageRows(context);
}

async function main(): Promise<number> {
  const command = createCommand("bench", "Measures training and captioning beside PyTorch, on drawn images.")
    .option("--python <program>", "a Python with the same torch, numpy and Pillow", "python3")
    .option("--device <device>", "cpu or cuda", "cpu")
    .option("--quick", "a minute's worth: two rounds, without the tuned forms of PyTorch")
    .option("--only <parts...>", `some of ${PARTS.join(", ")}`)
    .option("--checkpoint <file>", "the model that captions, instead of one trained for it")
    .option("--images <folder>", "what it captions, instead of drawn images")
    .option("--out <folder>", "where the result is written", RESULTS);
  command.parse(Deno.args, { from: "user" });
  const { python, device, quick = false, checkpoint, examples, out } = command.opts();
  // Larger batches are a GPU's: on a CPU they take long, and are measured where they are asked for.
  const all = PARTS.filter((part) => part !== "batches" || device === "cuda");
  const { only = all } = command.opts();
  const { torchLoaded, bf16, compiler } = buildInfo(loadLibrary());
  const commit = await output("git", ["describe", "--always", "--dirty"]);
  const torch = await output(python, ["-c", "import torch, PIL, numpy; print(torch.__version__.split('+')[0])"]);
  if (torch !== torchLoaded) {
    throw new InputError(
      `Cannot compare: the library has torch ${torchLoaded}, '${python}' has ${torch}; give --python`,
    );
  }
  const work = await Deno.makeTempDir();
  try {
    const data = join(work, "data");
    await output(python, [join("bench", "images.py"), data, String(PHOTOGRAPHS)]);
    const context: BenchContext = {
      ...{ python, device, data, work, quick, jemalloc: JEMALLOC.find((path) => existsSync(path)) },
      ...(quick ? { rounds: 2, steps: 1 } : { rounds: 5, steps: 3 }),
      // Results are read after ten steps.
      ...(device === "cuda" && { steps: quick ? 10 : 50 }),
      precisions: bf16 || device === "cuda" ? ["fp32", "bf16"] : ["fp32"],
    };
    const rows: Row[] = [];
    const options = {
      only,
      ...(checkpoint && { checkpoint: userPath(checkpoint) }),
      ...(examples && { examples: userPath(examples) }),
    };
    for await (const row of measure(context, options)) {
      rows.push(row);
      console.error(formatTable([row]).split("\n").at(-2));
    }
    const machine = `${cpus()[0]?.model.trim()}, ${navigator.hardwareConcurrency} cores, ${
      Math.round(totalmem() / 2 ** 30)
    } GB`;
    const date = new Date().toISOString().slice(0, 10);
    const result = { date, machine, device, commit, torch, deno: Deno.version.deno, compiler, rows };
    console.log(formatTable(rows));
    await Deno.mkdir(out, { recursive: true });
    const name = `${date}-${machine.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
    await Deno.writeTextFile(join(out, `${name}.json`), JSON.stringify(result, null, 2) + "\n");
    console.error(`Written to ${join(out, `${name}.json`)}`);
    if (out === RESULTS && !quick && only.length === all.length) await updateReadme(name, result);
    return 0;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

process.exitCode = await runTask(main);
