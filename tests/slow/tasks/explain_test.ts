import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeImage } from "../../../src/images/decode_image.ts";
import { makeFolder } from "../../support/temporary_folder.ts";
import { drawSquare } from "../../support/draw_dataset.ts";
import { assertDone, assertRefused, canRunTasks, PROJECT, runTask } from "../../support/run_task.ts";

const ignore = !canRunTasks;
const CHECKPOINT = join(PROJECT, "tests/golden/checkpoint/captioner.safetensors");
const MODEL = ["--checkpoint", "best.safetensors", "--device", "cpu", "--precision", "fp32", "--threads", "1"];

async function folderWithModel(files: Readonly<Record<string, string | Uint8Array>> = {}) {
  return await makeFolder({
    "best.safetensors": await Deno.readFile(CHECKPOINT),
    "red square.png": drawSquare("red", 1),
    ...files,
  });
}

async function filesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).toSorted();
}

Deno.test({
  name: "explain writes a heat map and a line for each word of the caption that caption prints",
  ignore,
  async fn() {
    await using folder = await folderWithModel();
    const options = { folder: folder.path };
    const captioned = await runTask("caption", [...MODEL, "red square.png"], options);
    const ended = await runTask("explain", [...MODEL, "red square.png"], options);
    assertDone(ended);
    const [caption, blank, head, ...lines] = ended.stdout.trimEnd().split("\n");
    assert.equal(`${caption}\n`, captioned.stdout);
    assert.equal(blank, "");
    assert.match(head ?? "", /^word +probability +strength +where$/);
    const words = lines.slice(0, -2);
    for (const line of words) assert.match(line, /^\S+ +[01]\.\d{4} +[01]\.\d\d {2}(nowhere|[a-z ]+ \d+%)$/);
    assert.equal(lines.at(-1), `${words.length} heat maps: explanations/red_square`);
    const heatMaps = join(folder.path, "explanations", "red_square");
    const names = words.map((line, index) => `${String(index + 1).padStart(2, "0")}-${line.split(" ")[0]}.png`);
    assert.deepEqual(await filesIn(heatMaps), names);
    for (const name of names) {
      const { width, height } = await decodeImage(await Deno.readFile(join(heatMaps, name)));
      assert.deepEqual([width, height], [384, 384]);
    }
  },
});

Deno.test({
  name: "explain explains a given sentence, prints heat maps as JSON, and makes file names from any words",
  ignore,
  async fn() {
    await using folder = await folderWithModel();
    const given = ["--caption", "../a RED <unk>", "--out", "maps/here", "--json", "red square.png"];
    const ended = await runTask("explain", [...MODEL, ...given], { folder: folder.path });
    assertDone(ended);
    const { image, caption, rows, columns, words } = JSON.parse(ended.stdout);
    assert.deepEqual([image, caption], ["red square.png", "../a RED <unk>"]);
    for (const { probability, strength, heat } of words) {
      assert(probability > 0 && probability < 1 && strength >= 0 && strength <= 1);
      assert.equal(heat.length, rows * columns);
      assert(heat.every((value: number) => value >= 0 && value <= 1));
    }
    const names = words.map(({ picture }: { picture: string }) => picture);
    assert.deepEqual(await filesIn(join(folder.path, "maps", "here")), names);
    for (const name of names) assert.match(name, /^\d\d-[\p{L}\p{N}_-]+\.png$/u);
    assert(names.some((name: string) => name.endsWith("-red.png")), names.join(" "));
  },
});

Deno.test({
  name: "explain refuses what it cannot explain in one line, and leaves no partial file",
  ignore,
  async fn(t) {
    await using folder = await folderWithModel({
      "text.png": "no picture",
      "taken": "a file",
      "maps/01-a.png/file": "a folder in the way",
    });
    const refused: Record<string, [args: readonly string[], pattern: RegExp]> = {
      "a file that is not an image": [["text.png"], /Cannot decode image '.*text\.png'/],
      "a missing image": [["gone.png"], /Cannot decode image '.*gone\.png'.*no such file/],
      "a folder": [["maps"], /Cannot decode image '.*maps'.*folder/],
      "an image with too many pixels": [
        ["--max-pixels", "10", "red square.png"],
        /Cannot decode image.*--max-pixels|pixels/,
      ],
      "an empty sentence": [["--caption", " ", "red square.png"], /--caption is empty; give a sentence/],
      "a sentence and decoding options": [
        ["--caption", "a", "--beam", "2", "red square.png"],
        /leave out one of the two/,
      ],
      "no image": [[], /missing required argument 'image'/],
      "two images": [["red square.png", "text.png"], /too many arguments/],
      "a file as the output folder": [["--out", "taken", "red square.png"], /Cannot create the folder '.*taken'/],
      "a folder in the place of a heat map": [
        ["--caption", "a", "--out", "maps", "red square.png"],
        /Cannot write '.*01-a\.png'/,
      ],
    };
    for (const [name, [args, pattern]] of Object.entries(refused)) {
      await t.step(name, async () => {
        assertRefused(await runTask("explain", [...MODEL, ...args], { folder: folder.path }), pattern);
      });
    }
    assert.deepEqual(await filesIn(folder.path), ["best.safetensors", "maps", "red square.png", "taken", "text.png"]);
    assert.deepEqual(await filesIn(join(folder.path, "maps")), ["01-a.png"]);
  },
});
