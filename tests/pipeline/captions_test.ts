import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../src/input_error.ts";
import { readCaptions } from "../../src/pipeline/captions.ts";
import { canRead, canWrite } from "../test_data.ts";
import { makeFolder } from "./temporary_folder.ts";

const ignore = !canRead || !canWrite;

Deno.test({
  name: "readCaptions() finds the format by the content, whatever the file's name",
  ignore,
  async fn() {
    await using folder = await makeFolder({
      "a.token": "\uFEFF\nimage,caption\na.jpg,A kite .\n",
      "b.txt": "\uFEFFa.jpg#0\tA kite .\n",
    });
    for (const name of ["a.token", "b.txt"]) {
      assert.deepEqual(await readCaptions(join(folder.path, name)), [{ image: "a.jpg", caption: "A kite ." }]);
    }
  },
});

Deno.test({
  name: "readCaptions() says in one line what is wrong with a file",
  ignore,
  async fn() {
    await using folder = await makeFolder({
      "empty.txt": "",
      "blank.txt": "\n \n",
      "header.txt": "image,caption\n",
      "latin.txt": Uint8Array.of(0x69, 0xe9, 0x0a),
      "zeros.txt": "image,caption\na.jpg,\0",
      "columns.txt": "image,text\na.jpg,x\n",
    });
    const wrong: [string, RegExp][] = [
      ["empty.txt", /empty\.txt is empty/],
      ["blank.txt", /blank\.txt is empty/],
      ["header.txt", /has a header and no captions/],
      ["latin.txt", /is not a text file in UTF-8/],
      ["zeros.txt", /is not a text file in UTF-8/],
      ["columns.txt", /column 'caption' is missing in .*columns\.txt/],
      ["none.txt", /there is no file .*none\.txt/],
      [".", /is a folder/],
    ];
    for (const [name, message] of wrong) {
      await assert.rejects(
        readCaptions(join(folder.path, name)),
        (error) => error instanceof InputError && message.test(error.message) && !error.message.includes("\n"),
        name,
      );
    }
  },
});
