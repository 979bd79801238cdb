import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../src/input_error.ts";
import { readCaptions } from "../../src/data/read_captions.ts";
import { NEEDS_FILES } from "../support/checkpoint_folder.ts";
import { makeFolder } from "../support/temporary_folder.ts";

Deno.test({
  name: "readCaptions() skips rows that cannot be used, and with strict names the first",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await makeFolder({
      "c.txt": "image,caption\na.jpg,A kite .\nb.jpg,\n,x\n",
      "d.txt": "image,caption\n",
    });
    const source = { format: "kaggle", files: [join(folder.path, "c.txt")], folder: folder.path } as const;
    const { rows, rejected } = await readCaptions(source);
    assert.deepEqual(rows, [{ image: "a.jpg", caption: "A kite ." }]);
    assert.deepEqual(rejected.map(({ line, reason }) => [line, reason]), [[3, "has no caption"], [
      4,
      "has no image name",
    ]]);
    await assert.rejects(readCaptions(source, { strict: true }), {
      name: "InputError",
      message: /: line 3 of .*c\.txt has no caption; correct it, or omit --strict to skip 2 such rows$/,
    });
  },
});

Deno.test({
  name: "readCaptions() describes what is wrong with a file in one line",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await makeFolder({
      "header.txt": "image,caption\n",
      "useless.txt": "image,caption\n../a.jpg,x\nb.jpg,\n",
      "latin.txt": Uint8Array.of(0x69, 0xe9, 0x0a),
      "zeros.txt": "image,caption\na.jpg,\0",
      "columns.txt": "image,tags\na.jpg,x\n",
    });
    const wrong: [string, RegExp][] = [
      ["header.txt", /header\.txt has no captions/],
      ["useless.txt", /none of .*useless\.txt can be used: line 2 of .* leads out .*, and 1 more rows; correct it/],
      ["latin.txt", /is not a text file in UTF-8/],
      ["zeros.txt", /is not a text file in UTF-8/],
      ["columns.txt", /column 'caption' is missing in .*columns\.txt/],
      ["none.txt", /^Cannot read captions '.*none\.txt': there is no such file or folder/],
      [".", /^Cannot read captions '.*': it is a folder, not a file$/],
    ];
    for (const [name, message] of wrong) {
      await assert.rejects(
        readCaptions({ format: "kaggle", files: [join(folder.path, name)], folder: folder.path }),
        (error) => error instanceof InputError && message.test(error.message) && !error.message.includes("\n"),
        name,
      );
    }
  },
});
