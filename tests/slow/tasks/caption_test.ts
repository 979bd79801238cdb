import assert from "node:assert/strict";
import { join } from "node:path";
import type { FileCaption } from "../../../src/captioning/caption_files.ts";
import type { ModelFacts } from "../../../src/checkpoint/model_facts.ts";
import type { TemporaryFolder } from "../../support/temporary_folder.ts";
import { openCheckpoint, saveCheckpoint } from "../../../src/checkpoint/checkpoint.ts";
import { readDataset } from "../../../src/data/dataset.ts";
import { INTERCHANGE } from "../../golden/interchange.ts";
import { drawDataset, FIRST_PICTURE, TINY } from "../../support/draw_dataset.ts";
import {
  assertDone,
  assertRefused,
  canRunTasks,
  commandOf,
  type Ended,
  PROJECT,
  runTask,
  withoutModelLines,
} from "../../support/run_task.ts";
import images from "../../golden/images.json" with { type: "json" };

const ignore = !canRunTasks;
const SMALL_CAPTIONER = join(PROJECT, "tests/golden/checkpoint/captioner.safetensors");
const PICTURE = `drawn/Images/${FIRST_PICTURE}`;
const JPEG = Uint8Array.fromBase64(images.images["rgb-420.jpg"].file);

/** Renders a dataset and trains on it, into `runs/NAME` for each name. */
async function trainOn(
  names: readonly string[],
  options: { args?: readonly string[]; files?: Readonly<Record<string, string | Uint8Array>> } = {},
): Promise<TemporaryFolder> {
  const { args = [], files } = options;
  const folder = await drawDataset(files);
  for (const [seed, name] of names.entries()) {
    const out = ["--out", `runs/${name}`, "--seed", String(seed)];
    assertDone(await runTask("train", ["--data", "drawn", ...out, ...TINY, ...args], { folder: folder.path }));
  }
  return folder;
}

async function captionsOf(args: readonly string[], folder: string): Promise<FileCaption[]> {
  const ended = await runTask("caption", ["--json", ...args], { folder });
  assertDone(ended);
  return JSON.parse(ended.stdout).map(({ model: _, ...caption }: { readonly model: ModelFacts }) => caption);
}

/** The model that a caption names as its own, and standard error. */
async function modelOf(args: readonly string[], folder: string): Promise<{ model: ModelFacts; stderr: string }> {
  const { stdout, stderr } = await runTask("caption", ["--jsonl", ...args, PICTURE], { folder });
  return { model: JSON.parse(stdout).model, stderr };
}

Deno.test({
  name: "caption prints the caption alone for one image, and path and caption for several",
  ignore,
  async fn() {
    await using folder = await trainOn(["first"], { files: { "photo.jpg": JPEG } });
    const one = await runTask("caption", [PICTURE], { folder: folder.path });
    assertDone(one);
    assert.match(one.stdout, /^[^\s\t]([^\n\t]*)\n$/);

    const absolute = join(folder.path, "photo.jpg");
    const several = await runTask("caption", [PICTURE, absolute], { folder: folder.path });
    assertDone(several);
    const lines = several.stdout.split("\n");
    assert.deepEqual(lines.map((line) => line.split("\t")[0]), [PICTURE, absolute, ""]);
    assert.equal(lines[0], `${PICTURE}\t${one.stdout.trimEnd()}`);
  },
});

Deno.test({
  name: "caption --json prints image, text, log-probability and tokens of each image",
  ignore,
  async fn() {
    await using folder = await trainOn(["first"]);
    const other = "drawn/Images/blue-3.png";
    const captions = await captionsOf([PICTURE, other], folder.path);
    assert.deepEqual(captions.map(({ image }) => image), [PICTURE, other]);
    for (const entry of captions) {
      assert.deepEqual(Object.keys(entry).sort(), ["image", "logProbability", "text", "tokens"]);
      assert(entry.logProbability <= 0);
      assert(entry.tokens.length >= 1 && entry.tokens.length <= 8);
      assert.equal(entry.text.replaceAll(" ", ""), entry.tokens.join(""));
    }
  },
});

Deno.test({
  name: "caption --out and --sidecar write what is printed otherwise, and training reads the file",
  ignore,
  async fn() {
    await using folder = await trainOn(["first"]);
    const printed = await runTask("caption", ["drawn/Images"], { folder: folder.path });
    const written = await runTask("caption", ["drawn/Images", "--out", "captions.csv", "--quiet"], {
      folder: folder.path,
    });
    assertDone(written);
    assert.equal(written.stdout, "");
    const table = await Deno.readTextFile(join(folder.path, "captions.csv"));
    assert.equal(table, `image,caption\n${printed.stdout.replaceAll("\t", ",")}`);
    assertRefused(
      await runTask("caption", [PICTURE, "--out", "captions.csv"], { folder: folder.path }),
      /it exists already/,
    );

    assertDone(await runTask("caption", [PICTURE, "--sidecar", "xmp"], { folder: folder.path }));
    const [, caption] = printed.stdout.match(new RegExp(`^${PICTURE}\t(.*)$`, "m")) ?? [];
    const xmp = await Deno.readTextFile(join(folder.path, `${PICTURE}.xmp`));
    assert(xmp.includes(`<rdf:li xml:lang="x-default">${caption}</rdf:li>`), xmp);

    const { examples, missing } = await readDataset({
      captions: join(folder.path, "captions.csv"),
      images: folder.path,
    });
    assert.deepEqual([examples.length, missing], [table.trimEnd().split("\n").length - 1, []]);
  },
});

Deno.test({
  name: "caption uses the newest run's best checkpoint by default",
  ignore,
  async fn() {
    await using folder = await trainOn(["a", "b"]);
    const path = (run: string) => `runs/${run}/best.safetensors`;
    const [a, b] = [
      await captionsOf(["--checkpoint", path("a"), PICTURE], folder.path),
      await captionsOf(["--checkpoint", path("b"), PICTURE], folder.path),
    ];
    assert.notDeepEqual(a, b);
    assert.deepEqual(await captionsOf([PICTURE], folder.path), b);
    await Deno.utime(join(folder.path, path("b")), 1e9, 1e9);
    assert.deepEqual(await captionsOf([PICTURE], folder.path), a);
  },
});

Deno.test({
  name: "caption says which model it uses, and warns of one that ignores its images",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    async function write(run: string, metrics: Readonly<Record<string, number>>): Promise<void> {
      using checkpoint = await openCheckpoint(SMALL_CAPTIONER);
      const path = join(folder.path, "runs", run);
      await Deno.mkdir(path, { recursive: true });
      const metadata = { ...checkpoint.metadata, metrics };
      const tensors = [...checkpoint.tensors].map(([name, tensor]) => ({ ...tensor, name }));
      await saveCheckpoint(join(path, "best.safetensors"), { metadata, tensors });
    }

    await write("good", { cider: 0.561, mismatchedImageLossGap: 0.5, distinctFraction: 0.7 });
    const good = await modelOf([], folder.path);
    assert.deepEqual(good.model, { name: "runs/good", epoch: 8, cider: 0.561 });
    assert.equal(good.stderr, "Model: runs/good (epoch 8, CIDEr 0.561 on validation)\n");
    assert.equal((await modelOf(["--quiet"], folder.path)).stderr, "");

    await write("blind", { mismatchedImageLossGap: 0.001, distinctFraction: 0.01 });
    await Deno.utime(join(folder.path, "runs/good/best.safetensors"), 1e9, 1e9);
    const blind = await modelOf([], folder.path);
    assert.match(
      blind.stderr,
      /^Model: runs\/blind \(epoch 8\)\nWarning: the model 'runs\/blind' ignores its images: .*\n$/,
    );

    const both = ["good", "blind"].flatMap((run) => ["--checkpoint", `runs/${run}/best.safetensors`]);
    const name = "runs/good/best.safetensors + runs/blind/best.safetensors";
    assert.deepEqual((await modelOf(both, folder.path)).model, { name, epoch: null, cider: null });
  },
});

Deno.test({
  name: "caption reads a checkpoint of the notebook recipe, greedily",
  ignore,
  async fn() {
    await using folder = await trainOn(["first"], { args: ["--recipe", "notebook"] });
    const [entry] = await captionsOf([PICTURE], folder.path);
    assert(entry !== undefined && entry.tokens.length >= 1);
    assert(["a", "this"].includes(entry.tokens[0] ?? ""), "it begins with the commonest first word");
    const beam = await runTask("caption", ["--beam", "3", PICTURE], { folder: folder.path });
    assertRefused(beam, /Cannot search with beam size 3: .* supports greedy search only; use --beam 1$/m);
  },
});

Deno.test({
  name: "caption refuses files that are not images in one line, and captions the others",
  ignore,
  async fn() {
    await using folder = await trainOn(["first"], {
      files: { "half.jpg": JPEG.subarray(0, JPEG.length / 2), "text.jpg": "A dog runs." },
    });
    const refusals = {
      "half.jpg": /^error: Cannot decode image '\S+half\.jpg': the JPEG ends too early, fetch or copy the file again$/m,
      "text.jpg": /^error: Cannot decode image '\S+text\.jpg': the file is text, not an image, give an image file$/m,
      "gone.jpg": /^error: Cannot decode image '\S+gone\.jpg': there is no such file or folder, check the path$/m,
    };
    for (const [file, line] of Object.entries(refusals)) {
      const ended = await runTask("caption", [file], { folder: folder.path });
      assertRefused(ended, line);
      assert.equal(ended.stdout, "");
    }
    const mixed = await runTask("caption", ["half.jpg", PICTURE], { folder: folder.path });
    assertRefused(mixed, refusals["half.jpg"]);
    assert.match(mixed.stdout, /^drawn\/Images\/red-0\.png\t\S[^\n]*\n$/);
  },
});

/** Starts caption with piped standard streams. */
function startPiped(args: readonly string[], folder: string) {
  const [program = "", ...flags] = [Deno.execPath(), ...commandOf("caption").slice(1)];
  const child = new Deno.Command(program, {
    args: [...flags, ...args],
    cwd: PROJECT,
    env: { INIT_CWD: folder, NO_COLOR: "1", CUDA_VISIBLE_DEVICES: "" },
    ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
  }).spawn();
  const input = child.stdin.getWriter();
  return { child, input, errors: new Response(child.stderr).text() };
}

async function runPiped(args: readonly string[], folder: string, text: string | Uint8Array): Promise<Ended> {
  const { child, input, errors } = startPiped(args, folder);
  // If the process stops reading, its own error says why.
  input.write(typeof text === "string" ? new TextEncoder().encode(text) : text).catch(() => {});
  input.close().catch(() => {});
  const stdout = await new Response(child.stdout).text();
  return { stdout, stderr: await errors, code: (await child.status).code };
}

Deno.test({
  name: "caption takes folders, and an image or paths from standard input",
  ignore,
  async fn() {
    await using folder = await trainOn(["first"], {
      files: { "in/a.jpg": JPEG, "in/deep/b.jpg": JPEG, "none/c.txt": "" },
    });
    const names = ({ stdout }: Ended) => stdout.trimEnd().split("\n").map((line) => line.split("\t")[0]);
    const one = await runTask("caption", ["in/a.jpg"], { folder: folder.path });
    const flat = await runTask("caption", ["in"], { folder: folder.path });
    assertDone(flat);
    assert.equal(flat.stdout, `in/a.jpg\t${one.stdout}`);
    const deep = await runTask("caption", ["--recursive", "in", PICTURE], { folder: folder.path });
    assertDone(deep);
    assert.deepEqual(names(deep), ["in/a.jpg", "in/deep/b.jpg", PICTURE]);
    const empty = await runTask("caption", ["none", "in"], { folder: folder.path });
    assertRefused(empty, /^error: Cannot decode image '\S+none': it is a folder without files called \.jpg/);
    assert.equal(empty.stdout, flat.stdout);

    const bytes = await runPiped(["-"], folder.path, JPEG);
    assertDone(bytes);
    assert.equal(bytes.stdout, one.stdout);
    const paths = await runPiped(["-"], folder.path, `in/a.jpg\ngone.jpg\n${PICTURE}\n`);
    assertRefused(
      paths,
      /^error: Cannot decode image '\S+gone\.jpg': there is no such file or folder, check the path$/m,
    );
    assert.deepEqual(names(paths), ["in/a.jpg", PICTURE]);
  },
});

Deno.test({
  name: "caption prints the n best captions with rank and log-probability, and --jsonl one object a line",
  ignore,
  async fn() {
    await using folder = await trainOn(["first"]);
    const ranked = await runTask("caption", ["--n-best", "3", PICTURE], { folder: folder.path });
    assertDone(ranked);
    const lines = ranked.stdout.trimEnd().split("\n").map((line) => line.split("\t"));
    assert.deepEqual(lines.map(([rank]) => rank), ["1", "2", "3"]);
    const values = lines.map(([, value]) => Number(value));
    assert.deepEqual(values, values.toSorted((a, b) => b - a));

    const args = ["--jsonl", "--n-best", "3", "--sample", "--seed", "5", "--temperature", "2", PICTURE, "drawn/Images"];
    const first = await runTask("caption", args, { folder: folder.path });
    assertDone(first);
    const captions: FileCaption[] = first.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(captions.length, 25);
    assert(captions.every(({ alternatives }) => alternatives?.length === 2));
    assert.equal((await runTask("caption", args, { folder: folder.path })).stdout, first.stdout);
  },
});

Deno.test({
  name: "caption combines several checkpoints, and obeys constraints",
  ignore,
  async fn() {
    await using folder = await trainOn(["a"]);
    // The same seed gives the same split and vocabulary.
    const other = ["--data", "drawn", "--out", "runs/b", "--seed", "0", ...TINY, "--set", "hiddenSize=20"];
    assertDone(await runTask("train", other, { folder: folder.path }));
    const both = ["a", "b"].flatMap((name) => ["--checkpoint", `runs/${name}/best.safetensors`]);
    const [together] = await captionsOf([...both, PICTURE], folder.path);
    const [alone] = await captionsOf([...both.slice(0, 2), PICTURE], folder.path);
    assert(together !== undefined && together.logProbability !== alone?.logProbability);
    const asked = ["--with", "square", "--without", "paper", "--begin", "This is", "--block-ngrams", "1"];
    const [holding] = await captionsOf([...both, ...asked, PICTURE], folder.path);
    const { tokens = [] } = holding ?? {};
    assert.deepEqual(tokens.slice(0, 2), ["this", "is"]);
    assert(tokens.includes("square") && !tokens.includes("paper"));
    assert.equal(new Set(tokens).size, tokens.length);
  },
});

Deno.test({
  name: "caption ends quietly if its reader closes the output while standard input is open",
  ignore,
  async fn() {
    await using folder = await trainOn(["first"]);
    const { child, input, errors } = startPiped(["-"], folder.path);
    const lines = new TextEncoder().encode(`${PICTURE}\n`);
    await input.write(lines);
    const reader = child.stdout.getReader();
    assert.equal((await reader.read()).done, false);
    await reader.cancel();
    await input.write(lines);
    assert.deepEqual([(await child.status).code, withoutModelLines(await errors)], [0, ""]);
    await input.close().catch(() => {});
  },
});

Deno.test({
  name: "caption closes its JSON array at Ctrl-C, and ends with 130",
  ignore,
  async fn() {
    await using folder = await trainOn(["first"]);
    const { child, input, errors } = startPiped(["--json", "-"], folder.path);
    await input.write(new TextEncoder().encode(`${PICTURE}\n`));
    let text = "";
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
      if (text === "") child.kill("SIGINT");
      text += piece;
    }
    assert.equal((await child.status).code, 130);
    assert.match(withoutModelLines(await errors), /^\nStopping after this step; [^\n]+\n$/);
    const captions: FileCaption[] = JSON.parse(text);
    assert.deepEqual(captions.map(({ image }) => image), [PICTURE]);
    await input.close().catch(() => {});
  },
});

Deno.test({
  name: "caption reads both of PyTorch's file formats, with the vocabulary from --vocabulary",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const words = ["--vocabulary", join(INTERCHANGE, "lrcn_1u_every.vocab.json")];
    const captions: FileCaption[][] = [];
    for (const file of ["torch_1u_every.pth", "torch_1u_every_legacy.pth", "lrcn_1u_every.pth"]) {
      const args = ["--json", "--checkpoint", join(INTERCHANGE, file), ...words, PICTURE];
      const { code, stdout, stderr } = await runTask("caption", args, { folder: folder.path });
      assert.equal(code, 0, stderr);
      // Only an exported file says which words it belongs to.
      assert.equal(
        /^Warning: \S+\.vocab\.json has 9 words, and the output layer of \S+ has 11;/.test(stderr),
        file.startsWith("torch"),
      );
      captions.push(JSON.parse(stdout).map(({ model: _, ...caption }: { readonly model: ModelFacts }) => caption));
    }
    assert((captions[0]?.[0]?.tokens.length ?? 0) >= 1);
    assert.deepEqual(captions[1], captions[0]);
    assert.deepEqual(captions[2], captions[0]);
  },
});

const refusals: Record<string, { args: readonly string[]; line: RegExp }> = {
  "a checkpoint that is none": {
    args: ["--checkpoint", "drawn/captions.txt", PICTURE],
    line: /Cannot read '\S+captions\.txt': it is cut off or not a safetensors file.*; give a file 'best\.safetensors'/,
  },
  "a checkpoint that is not there": {
    args: ["--checkpoint", "gone.safetensors", PICTURE],
    line: /Cannot find a checkpoint 'gone\.safetensors': there is no such file and no such run/,
  },
  "weights without words": {
    args: ["--checkpoint", join(INTERCHANGE, "torch_1u_every.pth"), PICTURE],
    line: /it holds weights without a vocabulary; name the vocabulary's file with --vocabulary$/m,
  },
  "words that do not fit": {
    args: [
      ...["--checkpoint", join(INTERCHANGE, "torch_1u_every.pth")],
      ...["--vocabulary", join(INTERCHANGE, "lrcn_notebook.vocab.json"), PICTURE],
    ],
    line: /Cannot read '\S+\.vocab\.json': "firstWord" is for models whose image comes first/,
  },
  "words that are not there": {
    args: [
      ...["--checkpoint", join(INTERCHANGE, "torch_1u_every.pth"), "--vocabulary", "gone.json", PICTURE],
    ],
    line: /Cannot read '\S+gone\.json': there is no such file or folder, check the path$/m,
  },
  "an unknown option": {
    args: ["--chekpoint", "best.safetensors", PICTURE],
    line: /unknown option '--chekpoint' \(Did you mean --checkpoint\?\)$/m,
  },
  "a beam of no caption": {
    args: ["--beam", "0", PICTURE],
    line: /option '--beam <n>' argument '0' is invalid\. It must be a whole number, 1 or more\.$/m,
  },
  "words that the model does not know": {
    args: [
      ...["--checkpoint", join(INTERCHANGE, "lrcn_1u_every.pth")],
      ...["--vocabulary", join(INTERCHANGE, "lrcn_1u_every.vocab.json"), "--with", "unheard", PICTURE],
    ],
    line: /^error: Cannot force 'unheard': the model does not know the word 'unheard'; choose another$/m,
  },
  "a call without an image": { args: [], line: /missing required argument 'image'$/m },
};

for (const [what, { args, line }] of Object.entries(refusals)) {
  Deno.test({
    name: `caption refuses ${what} in one line`,
    ignore,
    async fn() {
      await using folder = await drawDataset();
      const ended = await runTask("caption", args, { folder: folder.path });
      assertRefused(ended, line);
      assert.equal(ended.stdout, "");
    },
  });
}
