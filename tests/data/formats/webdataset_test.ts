import assert from "node:assert/strict";
import { join } from "node:path";
import { describeRejected } from "../../../src/data/formats/caption_rows.ts";
import { isWebdataset, readWebdataset } from "../../../src/data/formats/webdataset.ts";
import { NEEDS_FILES } from "../../support/checkpoint_folder.ts";
import { tarFile } from "../../support/tar_file.ts";
import { makeFolder } from "../../support/temporary_folder.ts";

Deno.test({
  name: "readWebdataset() reads captions of .txt and .json, and leaves images in the shards",
  ...NEEDS_FILES,
  async fn() {
    const tar = tarFile([
      { name: "./000.jpg", content: "picture 0" },
      { name: "./000.txt", content: "A kite .\r\n\r\nA red kite .\n" },
      { name: "in/001.tif.jpg", content: "no picture: the key ends at the first dot" },
      { name: "001.json", content: '{"captions":["A boat ."," "],"url":"x"}' },
      { name: "001.JPEG", content: "picture 1" },
      { name: "002.png", content: "picture 2" },
      { name: "002.cls", content: "7" },
      { name: "002.txt", content: "同じ" },
      { name: "002.json", content: '{"caption":"同じ"}' },
    ]);
    await using folder = await makeFolder({ "train/0.tar": tar, "1.tar": tarFile([]) });
    const path = join(folder.path, "train", "0.tar");
    const { rows, rejected, images } = await readWebdataset([path, join(folder.path, "1.tar")], {
      folder: folder.path,
    });
    assert.deepEqual(rejected, []);
    assert.deepEqual(rows.map(({ image, caption }) => [image, caption]), [
      ["train/0.tar/000.jpg", "A kite ."],
      ["train/0.tar/000.jpg", "A red kite ."],
      ["train/0.tar/001.JPEG", "A boat ."],
      ["train/0.tar/002.png", "同じ"],
    ]);
    const contents = [...images.values()].map(({ path: its, offset = 0, size = 0 }) => {
      assert.equal(its, path);
      return new TextDecoder().decode(tar.slice(offset, offset + size));
    });
    assert.deepEqual(contents, ["picture 0", "picture 1", "picture 2"]);
    assert(await isWebdataset(path));
    assert(!await isWebdataset(join(folder.path, "1.tar")));
  },
});

Deno.test({
  name: "readWebdataset() reads key.caption and key.captions",
  ...NEEDS_FILES,
  async fn() {
    const members = ["caption", "captions"].flatMap((ending) => [
      { name: `${ending}.jpg`, content: "1" },
      { name: `${ending}.${ending}`, content: `A ${ending} .` },
    ]);
    await using folder = await makeFolder({ "0.tar": tarFile(members) });
    const path = join(folder.path, "0.tar");
    const { rows, rejected } = await readWebdataset([path], { folder: folder.path });
    assert.deepEqual(rows.map(({ caption }) => caption), ["A caption .", "A captions ."]);
    assert.deepEqual(rejected, []);
    assert(await isWebdataset(path));
  },
});

Deno.test({
  name: "readWebdataset() rejects samples that are not whole, links and names that lead out",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await makeFolder({
      "x.tar": tarFile([
        { name: "a.jpg", content: "1" },
        { name: "b.txt", content: "no image" },
        { name: "../c.jpg", content: "1" },
        { name: "/d.txt", content: "x" },
        { name: "e.jpg", type: "2" },
        { name: "f.jpg", content: "1" },
        { name: "f.png", content: "1" },
        { name: "f.txt", content: Uint8Array.of(0xe9) },
        { name: "g.jpg", content: "1" },
        { name: "g.json", content: "{" },
        { name: "h.jpg", content: "1" },
        { name: "h.txt", content: "x".repeat(1 << 21) },
        { name: "i.jpg", content: "1" },
        { name: "i.json", content: '{"caption":7}' },
        { name: "j.jpg", content: "1" },
        { name: "j.json", content: '{"captions":["A kite .",7,null]}' },
      ]),
    });
    const { rows, rejected } = await readWebdataset([join(folder.path, "x.tar")], { folder: folder.path });
    assert.deepEqual(rows, [{ image: "x.tar/j.jpg", caption: "A kite ." }]);
    assert.deepEqual(
      new Set(rejected.map((row) => describeRejected(row).replace(`${folder.path}/`, ""))),
      new Set([
        "x.tar: '../c.jpg' has the image name '../c.jpg', which leads out of the images folder",
        "x.tar: '/d.txt' has the image name '/d.txt', which is absolute; give it relative to the images folder",
        "x.tar: 'e.jpg' is a link or a folder, not a file",
        "x.tar: 'f.png' has the key of 'f.jpg'",
        "x.tar: 'f.txt' is not text in UTF-8",
        "x.tar: 'g.json' is not JSON",
        "x.tar: 'h.txt' has 2097152 bytes, too many for captions",
        "x.tar: 'a.jpg' has no caption in a .txt or .json",
        "x.tar: 'b' has no image",
        "x.tar: 'i.json' has a caption that is not text",
        "x.tar: 'j.json' has a caption that is not text",
      ]),
    );
    assert.equal(rejected.length, 11);
  },
});

Deno.test({
  name:
    "readWebdataset() takes no offence at a JSON of other things where there is a caption, nor at a caption that is null",
  ...NEEDS_FILES,
  async fn() {
    const contents = [
      '{"caption":null,"url":"x"}',
      '{"caption":7}',
      "[1]",
      "{",
      '{"captions":null,"caption":"A boat ."}',
    ];
    const members = contents.flatMap((json, key) => [
      { name: `${key}.jpg`, content: "1" },
      { name: `${key}.json`, content: json },
      { name: `${key}.txt`, content: "A kite .\rA boat ." },
    ]);
    const alone = [{ name: "9.jpg", content: "1" }, { name: "9.json", content: '{"caption":null}' }];
    await using folder = await makeFolder({ "x.tar": tarFile([...members, ...alone]) });
    const { rows, rejected } = await readWebdataset([join(folder.path, "x.tar")], { folder: folder.path });
    assert.equal(rows.length, 10);
    assert.deepEqual(rejected.map(({ reason }) => reason), ["'9.jpg' has no caption in a .txt or .json"]);
  },
});

Deno.test({
  name: "readWebdataset() says that a key ends at the first dot, if that is why there are no captions",
  ...NEEDS_FILES,
  async fn() {
    const names = ["my.photo.1.jpg", "my.photo.1.txt", "2.jpg", "2.caption.txt", "2.cls"];
    await using folder = await makeFolder({ "x.tar": tarFile(names.map((name) => ({ name, content: "x" }))) });
    const { rows, rejected } = await readWebdataset([join(folder.path, "x.tar")], { folder: folder.path });
    assert.deepEqual([rows, rejected.map(({ reason }) => reason)], [[], [
      "'my.photo.1.jpg' and 2 more are skipped: a key ends at the first dot of a name",
      "'2.jpg' has no caption in a .txt or .json",
    ]]);
  },
});

Deno.test({
  name: "readWebdataset() keeps what precedes the end of a truncated shard, and says where it ends",
  ...NEEDS_FILES,
  async fn() {
    const tar = tarFile([
      { name: "a.jpg", content: "1" },
      { name: "a.txt", content: "A kite ." },
      { name: "b.jpg", content: "1".repeat(2000) },
    ]);
    await using folder = await makeFolder({ "x.tar": tar.slice(0, 3000), "y.tar": tar.slice(0, 700) });
    const shards = ["x.tar", "y.tar"].map((name) => join(folder.path, name));
    const { rows, rejected } = await readWebdataset(shards, { folder: folder.path });
    assert.deepEqual(rows.map(({ image }) => image), ["x.tar/a.jpg"]);
    assert.deepEqual(rejected.map((row) => describeRejected(row).replace(`${folder.path}/`, "")), [
      "x.tar: the tar ends within a member of 2000 bytes after 'a.txt' at byte 2048; fetch it again",
      "y.tar: 'a.jpg' has no caption in a .txt or .json",
    ]);
  },
});

Deno.test({
  name: "readWebdataset() reads a caption with line breaks in .json and .txt as one, and a JSON with NaN",
  ...NEEDS_FILES,
  async fn() {
    const caption = "A red kite\nin the\u2028sky .";
    await using folder = await makeFolder({
      "x.tar": tarFile([
        { name: "a.jpg", content: "1" },
        { name: "a.txt", content: caption.replace("\n", "\r\n") },
        { name: "a.json", content: JSON.stringify({ caption }) },
        { name: "b.jpg", content: "1" },
        { name: "b.json", content: '{"caption": "A boat .", "similarity": NaN, "width": -Infinity,}' },
        { name: "c.jpg", content: "1" },
        { name: "c.txt", content: "A cow\nin a field" },
        ...["d", "e"].flatMap((key) => [{ name: `${key}.jpg`, content: "1" }, { name: `${key}.txt`, content: "x" }]),
      ]),
    });
    const { rows, rejected, remarks } = await readWebdataset([join(folder.path, "x.tar")], { folder: folder.path });
    assert.deepEqual(rejected, []);
    assert.deepEqual(rows.map(({ caption }) => caption), [caption, "A boat .", "A cow", "in a field", "x", "x"]);
    assert.match(remarks?.join() ?? "", /^1 of 3 texts have more than one line/);
  },
});
