/**
 * A training step by one process with one thread beside the same by two, each with one thread and as many images: how
 * many captions a second, and how long an all-reduce of the gradients takes alone; in bfloat16 too if the processor has it. With --smoke each takes one step of a small model.
 *
 *     deno run --allow-ffi=native/build/liblrcn.so --allow-read --allow-run --allow-net=127.0.0.1 bench/ranks.ts
 *
 * @module
 */

import type { Rendezvous } from "../src/ffi/rendezvous.ts";
import { Engine } from "../src/ffi/engine.ts";
import { Group } from "../src/ffi/group.ts";
import { buildInfo, loadLibrary } from "../src/ffi/library.ts";
import { collateMasked } from "../src/ffi/collate.ts";
import { Random } from "../src/random.ts";
import { makeRecipe } from "../src/pipeline/recipe.ts";
import { modelSettings } from "../src/pipeline/run_model.ts";
import { stepOptions } from "../src/pipeline/step_options.ts";
import { SMALL_MODEL } from "./smoke.ts";
import { median } from "./table.ts";
import { outputOf, taskCommand } from "./task_command.ts";

const smoke = Deno.args.includes("--smoke");
const [CAPTIONS, WORDS, LENGTH] = [5, 8000, 12];
const [SIDE, WARM, STEPS, ROUNDS] = smoke ? [32, 0, 1, 1] : [224, 2, 6, 3];

/** What a process is told. */
interface Task {
  readonly place?: Rendezvous;
  readonly precision: "fp32" | "bf16";
  /** Whether the encoder is frozen, and its features are given. */
  readonly frozen: boolean;
  readonly images: number;
  readonly synchronized: boolean;
}

/** What it measured: medians of its steps. */
interface Answer {
  readonly seconds: number;
  readonly bytes: number;
  /** An all-reduce of as many bytes with nothing beside it. */
  readonly alone: number;
}

async function measure({ place, precision, frozen, images, synchronized }: Task): Promise<Answer> {
  const recipe = makeRecipe("lrcn", {
    frozenEpochs: frozen ? 1 : 0,
    batchNorm: synchronized ? "synchronized" : "batch",
    ...(smoke && SMALL_MODEL),
  });
  const random = new Random(place?.rank ?? 0);
  using engine = await Engine.open(modelSettings(recipe, WORDS), { device: "cpu", precision, threads: 1, seed: 1 });
  const caption = () => Int32Array.of(2, ...Array.from({ length: LENGTH }, () => 4 + random.below(WORDS - 4)), 3);
  const captions = Array.from({ length: images }, () => Array.from({ length: CAPTIONS }, caption));
  const pixels = Uint8Array.from({ length: images * SIDE * SIDE * 3 }, () => random.below(256));
  const pictures = { count: images, height: SIDE, width: SIDE, pixels };
  const batch = collateMasked(frozen ? await engine.encode(pictures) : pictures, captions);
  using group = place && await Group.join(place, { timeout: 600 });
  if (group !== undefined) await engine.join(group);
  const options = { ...stepOptions(recipe, 1), learningRate: 1e-4, encoderLearningRate: 1e-4 };
  const steps: number[] = [];
  for (let step = 0; step < WARM + STEPS; step++) {
    const start = performance.now();
    await engine.trainStep([batch], options);
    if (step >= WARM) steps.push((performance.now() - start) / 1000);
  }
  const gradients = (await engine.tensors()).filter(({ kind }) => kind === "gradient");
  const numbers = gradients.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0);
  const values = new Float64Array(numbers / 2);
  const alone: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    const start = performance.now();
    await group?.allReduce(values);
    alone.push((performance.now() - start) / 1000);
  }
  return { seconds: median(steps), bytes: 4 * numbers, alone: median(alone) };
}

async function start(task: Task): Promise<Answer> {
  const { command, args } = taskCommand("train", [JSON.stringify(task), ...Deno.args], { script: "bench/ranks.ts" });
  return JSON.parse(await outputOf(command, args));
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function compare(name: string, task: Task): Promise<void> {
  const rounds: { readonly one: Answer; readonly two: Answer }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const one = await start(task);
    const port = freePort();
    const places = [0, 1].map((rank) => (
      {
        rank,
        worldSize: 2,
        localRank: rank,
        address: "127.0.0.1",
        port,
        hosted: false,
        restarted: false,
        prefix: "bench/0",
      }
    ));
    const [two = one] = await Promise.all(places.map((place) => start({ ...task, place })));
    rounds.push({ one, two });
  }
  const of = (value: (round: (typeof rounds)[number]) => number) => median(rounds.map(value));
  const captions = task.images * CAPTIONS;
  const row = {
    "captions/s, one": of(({ one }) => captions / one.seconds).toFixed(1),
    "two": of(({ two }) => 2 * captions / two.seconds).toFixed(1),
    "ratio": of(({ one, two }) => 2 * one.seconds / two.seconds).toFixed(2),
    "MB averaged a step": of(({ two }) => two.bytes / 1e6).toFixed(0),
    "ms of an all-reduce alone": of(({ two }) => 1000 * two.alone).toFixed(0),
  };
  console.log(`\n${name}`);
  for (const [what, value] of Object.entries(row)) console.log(`  ${what.padEnd(38)} ${value}`);
}

const [given] = Deno.args.filter((arg) => arg !== "--smoke");
if (given !== undefined) console.log(JSON.stringify(await measure(JSON.parse(given))));
else {
  for (const precision of buildInfo(loadLibrary()).bf16 ? ["fp32", "bf16"] as const : ["fp32"] as const) {
    const fine = { precision, frozen: false, images: 8, synchronized: false };
    await compare(`CNN fine-tuned, 8 images a process, ${precision}`, fine);
    if (precision === "fp32") {
      await compare(`the same with BatchNorm synchronised, ${precision}`, { ...fine, synchronized: true });
    }
    await compare(`CNN frozen, 16 images a process, ${precision}`, { ...fine, frozen: true, images: 16 });
  }
}
