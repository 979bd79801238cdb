import assert from "node:assert/strict";
import { join } from "node:path";
import { drawSquare } from "../../support/draw_dataset.ts";
import { assertRefused, runTask, startTask } from "../../support/run_task.ts";
import { canServe, folderWithModel, MODEL } from "./start_server.ts";

const ignore = !canServe;
const PHOTOS = { "photos/red.png": drawSquare("red", 1), "photos/in/blue.png": drawSquare("blue", 5) };
const ARGS = ["--images", "photos", "--labels", "my captions.csv", "--recursive"];

/** Starts the task on a free port, and waits for its address. */
async function label(folder: string) {
  const task = startTask("label", [...MODEL, "--port", "0", ...ARGS], { folder });
  const [, url = ""] = await task.printed(/(http:\/\/127\.0\.0\.1:\d+)\b/);
  const decide = async (image: string, caption: string) => {
    const body = JSON.stringify({ image, label: { caption, source: "typed" }, before: null });
    const answer = await fetch(`${url}/api/labels`, { method: "POST", body });
    await answer.body?.cancel();
    return answer.status;
  };
  return { ...task, url, decide };
}

Deno.test({
  name: "a decision is in the file when it is answered: a killed task loses none, and the next one continues",
  ignore,
  async fn() {
    await using folder = await folderWithModel(PHOTOS);
    const first = await label(folder.path);
    assert.equal(await first.decide("red.png", "A red square, small."), 200);
    first.kill();
    await first.ended;
    const second = await label(folder.path);
    const { images, command } = await (await fetch(`${second.url}/api/labels`)).json();
    assert.deepEqual(
      images.map(({ name, caption }: { name: string; caption: string | null }) => [name, caption]),
      [["red.png", "A red square, small."], ["in/blue.png", null]],
    );
    assert.equal(
      command,
      "deno task train --init-from best.safetensors --data 'my captions.csv' --images photos",
    );
    const { proposals } = await (await fetch(`${second.url}/api/proposals?name=in/blue.png`)).json();
    assert(proposals.length > 0);
    assert.equal(await second.decide("in/blue.png", "A blue square."), 200);
    assert.equal(await second.decide("red.png", "late"), 409);
    second.press();
    const ended = await second.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(
      await Deno.readTextFile(join(folder.path, "my captions.csv")),
      'image,caption,source\nred.png,"A red square, small.",typed\nin/blue.png,"A blue square.",typed\n',
    );
  },
});

Deno.test({
  name: "label refuses a file of labels that it would damage, a missing folder, and a folder without images",
  ignore,
  async fn() {
    await using folder = await folderWithModel({ ...PHOTOS, "other.csv": "image,caption,split\n", "empty/a.txt": "" });
    const cases = [
      [["--images", "photos", "--labels", "other.csv"], /the column 'split'/],
      [
        ["--images", "photos", "--labels", "nowhere/labels.csv"],
        /nowhere' cannot be used, there is no such file or folder/,
      ],
      [["--images", "missing", "--labels", "labels.csv"], /there is no folder .*missing/],
      [["--images", "empty", "--labels", "labels.csv"], /without files called \.jpg/],
      [["--images", "photos", "--labels", "labels.txt"], /must end in \.csv/],
    ] as const;
    for (const [args, pattern] of cases) {
      assertRefused(await runTask("label", [...MODEL, ...args], { folder: folder.path }), pattern);
    }
  },
});
