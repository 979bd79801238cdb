import assert from "node:assert/strict";
import { fileKind, OTHER_ENDING } from "../../src/data/file_kind.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const kindOf = (path: string, content: string) => fileKind(path, bytes(content), new Uint8Array());

Deno.test("fileKind() names archives and tables by their first bytes, and what to do", () => {
  const kinds: [string, string, string][] = [
    ["a.gz", "\x1f\x8b\x08", "compressed with gzip, unpack it"],
    ["a.zip", "PK\x03\x04", "a zip archive, unpack it"],
    ["a.xlsx", "PK\x03\x04", "an Excel workbook, save its table as CSV in UTF-8"],
    ["a.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook, save its table as CSV in UTF-8"],
    ["a.7z", "7z\xbc\xaf\x27\x1c", "a 7z archive, unpack it"],
    ["a.arrow", "ARROW1\0\0", "an Arrow file, convert it as docs/your-own-data.md shows for Arrow"],
    ["data-0.arrow", "\xff\xff\xff\xff\x10\0", "an Arrow file, convert it as docs/your-own-data.md shows for Arrow"],
    ["a.db", "SQLite format 3\0", "an SQLite database, save its table as CSV in UTF-8"],
    ["a.txt", "\xff\xfea\0", "text in UTF-16, convert it to UTF-8"],
  ];
  for (const [path, content, expected] of kinds) {
    const { name, remedy } = kindOf(path, content) ?? assert.fail(path);
    assert.equal(`${name}, ${remedy}`, expected);
    assert(path === "a.txt" || OTHER_ENDING.test(path), path);
  }
  for (const content of ["image,caption\n", "", '[{"image"']) assert.equal(kindOf("a.csv", content), undefined);
});

Deno.test("fileKind() gives the two lines of Python that convert a Parquet file, with images or without", () => {
  const plain = kindOf("in/x.parquet", "PAR1...image...caption");
  assert.equal(plain?.name, "a Parquet file");
  assert.equal(
    plain?.remedy,
    "convert it with two lines of Python: import pandas and then " +
      'pandas.read_parquet("x.parquet").to_csv("captions.csv", index=False)',
  );
  const tail = bytes('{"info": {"features": {"image": {"_type": "Image"}}}}');
  const { remedy = "" } = fileKind("x.parquet", bytes("PAR1"), tail) ?? {};
  assert.match(
    remedy,
    /read_parquet\("x\.parquet"\).* and then .*write_bytes\(r\["image"\]\["bytes"\]\); c = r\["caption"\];/,
  );
});

Deno.test("fileKind() names the columns that a Parquet file has", () => {
  const remedyOf = (features: Record<string, unknown>) =>
    fileKind("x.parquet", bytes("PAR1"), bytes(JSON.stringify({ info: { features } })))?.remedy ?? "";
  const text = { dtype: "string", _type: "Value" };
  assert.match(
    remedyOf({ photo: { _type: "Image" }, text }),
    /write_bytes\(r\["photo"\]\["bytes"\]\); c = r\["text"\];/,
  );
  assert.match(
    remedyOf({ image: { mode: null, _type: "Image" }, caption_0: text, caption_1: text, split: text }),
    /c = \[r\["caption_0"\], r\["caption_1"\]\];/,
  );
  assert.match(
    remedyOf({ image: { _type: "Image" }, captions: [text] }),
    /c = r\["captions"\];/,
  );
});
