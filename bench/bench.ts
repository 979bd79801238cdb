/**
 * `deno task bench`: training and captioning, beside what a user of PyTorch would run or beside another checkout.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { Option } from "commander";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createCommand, runTask, userPath } from "../src/cli/command.ts";
import { buildInfo, loadLibrary } from "../src/ffi/library.ts";
import { InputError } from "../src/input_error.ts";
import type { BenchContext } from "./context.ts";
import { drawDataset } from "./draw_dataset.ts";
import { batchRows } from "./rows/batches.ts";
import { captioningRows } from "./rows/captioning.ts";
import { imageRows } from "./rows/images.ts";
import { lrcnRows, notebookRows } from "./rows/training.ts";
import { runScripts, SMALL_MODEL } from "./smoke.ts";
import { formatTable, type Row } from "./table.ts";
import { outputOf, PROJECT, taskCommand } from "./task_command.ts";

const IMAGES = 320;
const SMOKE_IMAGES = 32;
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

/** Trains a decoder for some seconds, so that captions are as long as they are. */
async function trainModel({ data, work, device, settings }: BenchContext): Promise<string> {
  const out = join(work, "run");
  // A random encoder may not stay frozen to the end.
  const encoder = { epochs: 9, frozenEpochs: 8, trainableFrom: "layer4" };
  const all = { ...encoder, frozenLearningRate: 0.002, minCount: 1, ...settings };
  const { command, args } = taskCommand("train", [
    ...["--data", data, "--out", out, "--cache", work, "--device", device, "--encoder-weights", "none"],
    ...Object.entries(all).flatMap(([key, value]) => ["--set", `${key}=${value}`]),
  ]);
  await outputOf(command, args);
  return join(out, "best.safetensors");
}

async function* measure(
  context: BenchContext,
  options: { only: readonly string[]; checkpoint?: string; images?: string },
): AsyncGenerator<Row> {
  const { data } = context;
  const folder = options.images ?? join(data, "Images");
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => join(folder, name)).sort();
  const files = options.images === undefined ? names.slice(0, context.quick ? 32 : 96) : names;
  if (options.only.includes("notebook")) yield* notebookRows(context);
  if (options.only.includes("lrcn")) yield* lrcnRows(context);
  if (options.only.includes("batches")) yield* batchRows(context);
  if (options.only.includes("caption")) {
    yield* captioningRows(context, { checkpoint: options.checkpoint ?? await trainModel(context), files });
  }
  if (options.only.includes("images")) yield* imageRows(context);
}

async function commitOf(checkout: string): Promise<string> {
  return await outputOf("git", ["describe", "--always", "--dirty"], checkout);
}

async function main(): Promise<number> {
  const command = createCommand("bench", "Measures training and captioning beside PyTorch, on rendered images.")
    .option("--python <program>", "a Python with the same torch, numpy and Pillow", "python3")
    .option("--no-python", "measure lrcn alone, on small rendered scenes")
    .option(
      "--against <folder>",
      "another checkout of this project, measured in turns with this one instead of PyTorch",
    )
    .option("--smoke", "run each row once with a small model and without PyTorch, in about a minute")
    .option("--device <device>", "cpu or cuda", "cpu")
    .option("--quick", "a minute's worth: two rounds, without the tuned forms of PyTorch")
    .addOption(new Option("--only <parts...>", "measure only these parts").choices(PARTS))
    .option("--checkpoint <file>", "the model that captions, instead of one trained for it")
    .option("--images <folder>", "images to caption, instead of rendered ones")
    .option("--out <folder>", "where to write the result (default beside PyTorch: bench/results)");
  command.parse(Deno.args, { from: "user" });
  const { device, checkpoint, images, smoke = false } = command.opts();
  const { quick = smoke } = command.opts();
  const against: string | undefined = command.opts().against && userPath(command.opts().against);
  const python: string | undefined = against === undefined && !smoke && command.opts().python || undefined;
  const { out = python && RESULTS } = command.opts();
  // Larger batches take long on a CPU, so there they are measured only on request.
  const all = PARTS.filter((part) => part !== "batches" || device === "cuda" || smoke);
  const { only = all } = command.opts();
  const { torchLoaded, bf16, compiler } = buildInfo(loadLibrary());
  const commit = await commitOf(PROJECT);
  if (python !== undefined) {
    const torch = await outputOf(python, ["-c", "import torch, PIL, numpy; print(torch.__version__.split('+')[0])"]);
    if (torch !== torchLoaded) {
      throw new InputError(
        `Cannot compare: the library has torch ${torchLoaded}, '${python}' has ${torch}; give --python`,
      );
    }
  }
  if (against !== undefined) await outputOf(Deno.execPath(), ["task", "build"], against);
  const work = await Deno.makeTempDir();
  try {
    const data = join(work, "data");
    await drawDataset(data, smoke ? SMOKE_IMAGES : IMAGES, python);
    const context: BenchContext = {
      ...{ python, against, device, data, work, quick, jemalloc: JEMALLOC.find((path) => existsSync(path)) },
      ...(quick ? { rounds: smoke ? 1 : 2, steps: 1 } : { rounds: 5, steps: 3 }),
      settings: smoke ? SMALL_MODEL : {},
      // Results are read after ten steps.
      ...(device === "cuda" && { steps: quick ? 10 : 50 }),
      precisions: bf16 || device === "cuda" ? ["fp32", "bf16"] : ["fp32"],
    };
    const rows: Row[] = [];
    const options = {
      only,
      ...(checkpoint && { checkpoint: userPath(checkpoint) }),
      ...(images && { images: userPath(images) }),
    };
    for await (const row of measure(context, options)) {
      rows.push(row);
      // The figures of a small model mean nothing.
      console.error(smoke ? `measured: ${row.name}` : formatTable([row]).split("\n").at(-2));
      if (smoke && !Number.isFinite(row.ours)) throw new Error(`'${row.name}' measured ${row.ours}`);
    }
    if (smoke) {
      if (only.length === all.length) await runScripts(work);
      return 0;
    }
    const machine = `${cpus()[0]?.model.trim()}, ${navigator.hardwareConcurrency} cores, ${
      Math.round(totalmem() / 2 ** 30)
    } GB`;
    const date = new Date().toISOString().slice(0, 10);
    const result = {
      ...{ date, machine, device, commit, torch: torchLoaded, deno: Deno.version.deno, compiler, rows },
      ...(against !== undefined && { against: await commitOf(against) }),
    };
    console.log(formatTable(rows, against && "the other"));
    if (out === undefined) return 0;
    await Deno.mkdir(out, { recursive: true });
    const name = `${date}-${machine.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
    await Deno.writeTextFile(join(out, `${name}.json`), JSON.stringify(result, null, 2) + "\n");
    console.error(`Written to ${join(out, `${name}.json`)}`);
    if (out === RESULTS && python !== undefined && !quick && only.length === all.length) {
      await updateReadme(name, result);
    }
    return 0;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

process.exitCode = await runTask(main);
