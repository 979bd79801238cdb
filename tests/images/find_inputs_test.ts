import assert from "node:assert/strict";
import { join } from "node:path";
import { type CaptionInput, findInputs, type FindInputsOptions } from "../../src/images/find_inputs.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { canRead, canRun, canWrite } from "../support/test_data.ts";
import images from "../golden/images.json" with { type: "json" };

const ignore = !canRead || !canWrite;
const FILES = {
  "b.png": "",
  "a.JPG": "",
  "c.jpeg": "",
  "notes.txt": "",
  ".hidden.png": "",
  "inner/d.png": "",
  "inner/deep/e.jpg": "",
  "other/f.txt": "",
};

async function find(
  folder: string,
  names: readonly string[],
  options: Partial<FindInputsOptions> & { text?: string } = {},
) {
  const { text = "", ...others } = options;
  const { images, ...rest } = await findInputs(names, {
    path: (path) => join(folder, path),
    standardInput: ReadableStream.from([new TextEncoder().encode(text)]),
    ...others,
  });
  const found: CaptionInput[] = [];
  for await (const image of images) found.push(image);
  return { ...rest, found, names: found.map(({ name }) => name) };
}

function problems(found: readonly CaptionInput[]): string[] {
  return found.flatMap((input) => "problem" in input ? [input.problem] : []);
}

Deno.test({
  name: "findInputs() takes a file as it is, whatever its name, even if it does not exist",
  ignore,
  async fn() {
    await using folder = await makeFolder(FILES);
    const { found, total, single } = await find(folder.path, ["notes.txt", "gone.png", "notes.txt/x.png"]);
    assert.deepEqual(found[0], { name: "notes.txt", path: join(folder.path, "notes.txt") });
    assert.deepEqual([found.length, total, single], [3, 3, false]);
    assert.deepEqual((await find(folder.path, ["b.png"])).single, true);
  },
});

Deno.test({
  name: "findInputs() takes a folder's JPEG and PNG files by name, and with recursive those in its folders",
  ignore,
  async fn() {
    await using folder = await makeFolder(FILES);
    const flat = await find(folder.path, ["."]);
    assert.deepEqual(flat.names, ["a.JPG", "b.png", "c.jpeg"]);
    assert.deepEqual([flat.total, flat.single], [3, false]);
    const deep = await find(folder.path, ["inner", "."], { recursive: true });
    const inner = ["inner/d.png", "inner/deep/e.jpg"];
    assert.deepEqual(deep.names, [...inner, "a.JPG", "b.png", "c.jpeg", ...inner]);
    // The only image in a folder does not count as named by the user.
    assert.equal((await find(folder.path, ["inner/deep"])).single, false);
  },
});

Deno.test({
  name: "findInputs() visits folders that form a loop once",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "in/a.png": "" });
    await Deno.symlink(join(folder.path, "in"), join(folder.path, "in", "again"));
    assert.deepEqual((await find(folder.path, ["in"], { recursive: true })).names, ["in/a.png"]);
  },
});

Deno.test({
  name: "findInputs() names a folder without images in one line, and continues",
  ignore,
  async fn() {
    await using folder = await makeFolder(FILES);
    const { found, names } = await find(folder.path, ["other", "b.png"]);
    assert.deepEqual(names, ["other", "b.png"]);
    const [problem = "", ...others] = problems(found);
    assert.deepEqual(others, []);
    assert.equal(
      problem,
      `Cannot decode image '${
        join(folder.path, "other")
      }': it is a folder without files called .jpg, .png, .webp, .gif, .tif, .avif or .heic, ` +
        "name another, or search its subfolders with --recursive",
    );
    const deep = await find(folder.path, ["other"], { recursive: true });
    assert.match(problems(deep.found)[0] ?? "", /or \.heic, name another$/);
  },
});

Deno.test({
  name: "findInputs() takes the paths of standard input, including folders, in the place of '-'",
  ignore,
  async fn() {
    await using folder = await makeFolder(FILES);
    const text = "gone.png\ninner\nother\n";
    const { found, names, total, single } = await find(folder.path, ["b.png", "-", "a.JPG"], { text });
    assert.deepEqual(names, ["b.png", "gone.png", "inner/d.png", "other", "a.JPG"]);
    assert.equal(problems(found).length, 1);
    assert.deepEqual([total, single], [undefined, false]);
  },
});

Deno.test({
  name: "findInputs() takes an image from standard input",
  ignore,
  async fn() {
    const bytes = Uint8Array.fromBase64(images.images["rgb.png"].file);
    const standardInput = ReadableStream.from([bytes]);
    const { found, total, single } = await find("/", ["-"], { standardInput });
    assert.deepEqual([found.length, total, single], [1, 1, true]);
    assert(found[0] !== undefined && "bytes" in found[0] && found[0].bytes.length === bytes.length);
  },
});

Deno.test({
  name: "findInputs() reports a fault of standard input after the images before it, and rejects two '-'",
  ignore,
  async fn() {
    await using folder = await makeFolder(FILES);
    const broken = ReadableStream.from([new TextEncoder().encode("b.png\na-longer-name.png\n"), Uint8Array.of(0xff)]);
    const { found, names, single } = await find(folder.path, ["-"], { standardInput: broken });
    assert.equal(single, false);
    assert.deepEqual(names, ["b.png", "a-longer-name.png", "-"]);
    assert.match(problems(found)[0] ?? "", /neither an image nor text in UTF-8$/);
    const empty = await find(folder.path, ["-", "b.png"]);
    assert.match(problems(empty.found)[0] ?? "", /standard input is empty/);
    assert.deepEqual(empty.names, ["-", "b.png"]);
    await assert.rejects(
      find(folder.path, ["-", "-"]),
      /^InputError: Cannot read images: standard input can be read once; /,
    );
  },
});

Deno.test({
  name: "findInputs() ends at the signal",
  ignore,
  async fn() {
    await using folder = await makeFolder(FILES);
    assert.deepEqual((await find(folder.path, ["."], { signal: AbortSignal.abort() })).names, []);
  },
});

/** Creates empty files whose names, in octal escapes, are not UTF-8; Deno cannot. */
async function createNotUtf8(folder: string, names: readonly string[]): Promise<void> {
  const args = [
    "-c",
    names.map((name) => `mkdir -p "$(dirname "$(printf '${name}')")"; : > "$(printf '${name}')"`).join("; "),
  ];
  assert((await new Deno.Command("sh", { args, cwd: folder }).output()).success);
}

Deno.test({
  name: "findInputs() names files and folders whose names are not UTF-8, and takes no other file for them",
  ignore: ignore || !canRun || Deno.build.os !== "linux",
  async fn() {
    await using folder = await makeFolder({ "a.png": "", "b\ufffd.png": "" });
    await createNotUtf8(folder.path, ["b\\377.png", "b\\376.png", "d\\377/e.png"]);
    const { found, names } = await find(folder.path, [".", "b\ufffd.png"], { recursive: true });
    assert.deepEqual(names, ["a.png", "b\ufffd.png", "d\ufffd", "b\ufffd.png"]);
    assert.deepEqual(found[0], { name: "a.png", path: join(folder.path, "a.png") });
    assert.equal(problems(found).length, 3);
    for (const problem of problems(found)) assert.match(problem, /': its name is not UTF-8, rename it$/);
  },
});
