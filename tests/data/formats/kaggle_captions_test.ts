import assert from "node:assert/strict";
import { InputError } from "../../../src/input_error.ts";
import { describeRejected } from "../../../src/data/formats/caption_rows.ts";
import { isKaggleHeader, parseKaggleCaptions } from "../../../src/data/formats/kaggle_captions.ts";

function parse(text: string) {
  const { rows, rejected } = parseKaggleCaptions(text, "captions.txt");
  return { rows: rows.map(({ image, caption }) => [image, caption]), rejected: rejected.map(describeRejected) };
}

Deno.test("parseKaggleCaptions() reads quoted commas, quotes and line breaks", () => {
  assert.deepEqual(parse('image,caption\na.jpg,"A red kite , a ""blue"" one"\nb.jpg,"two\nlines"\n').rows, [
    ["a.jpg", 'A red kite , a "blue" one'],
    ["b.jpg", "two\nlines"],
  ]);
});

Deno.test("parseKaggleCaptions() reads a byte order mark, CRLF, blank lines and a missing last line break", () => {
  assert.deepEqual(parse('\uFEFF"image",caption\r\na.jpg,A kite .\r\n\r\nb.jpg,A boat .'), {
    rows: [["a.jpg", "A kite ."], ["b.jpg", "A boat ."]],
    rejected: [],
  });
});

Deno.test("parseKaggleCaptions() finds the columns by name among others", () => {
  assert.deepEqual(parse("id,Caption, Image\n7,A kite .,a.jpg\n").rows, [["a.jpg", "A kite ."]]);
  assert.deepEqual(parse("image_name,comment_number,comment\na.jpg, 0, A kite , red\n").rows, [
    ["a.jpg", " A kite , red"],
  ]);
});

Deno.test("parseKaggleCaptions() keeps stray quotes and unquoted commas of a caption", () => {
  assert.deepEqual(parse('image,caption\na.jpg,A sign says "no" , in red\n').rows, [
    ["a.jpg", 'A sign says "no" , in red'],
  ]);
});

Deno.test("parseKaggleCaptions() rejects rows with their line and continues", () => {
  const faulty: [string, string][] = [
    ["b.jpg", "has no caption"],
    ["b.jpg,  ", "has no caption"],
    [",x", "has no image name"],
    ["../b.jpg,x", "has the image name '../b.jpg', which leads out of the images folder"],
    ["in/../../b.jpg,x", "has the image name 'in/../../b.jpg', which leads out of the images folder"],
    ["/../b.jpg,x", "has the image name '../b.jpg', which leads out of the images folder"],
    ["C:\\..\\b.jpg,x", "has the image name '..\\\\b.jpg', which leads out of the images folder"],
    ["/,x", "has no image name"],
  ];
  for (const [line, reason] of faulty) {
    assert.deepEqual(parse(`image,caption\na.jpg,"two\nlines"\n\n${line}\nc.jpg,y\n`), {
      rows: [["a.jpg", "two\nlines"], ["c.jpg", "y"]],
      rejected: [`line 5 of captions.txt ${reason}`],
    }, line);
  }
  assert.deepEqual(parse("caption,image\nx, y,a.jpg\nz,b.jpg\n"), {
    rows: [["b.jpg", "z"]],
    rejected: ["line 2 of captions.txt has 3 columns, not 2: quote captions with commas"],
  });
});

Deno.test("parseKaggleCaptions() reads Hugging Face's columns, and each of several captions", () => {
  assert.deepEqual(parse("file_name,text\na.jpg,x, y\n").rows, [["a.jpg", "x, y"]]);
  const several = parse("file_name,caption_0,caption_1,id\na.jpg,x,y,1\nb.jpg,z,,2\nc.jpg,,,3\nd.jpg,x,y,z,4\n");
  assert.deepEqual(several, {
    rows: [["a.jpg", "x"], ["a.jpg", "y"], ["b.jpg", "z"]],
    rejected: [
      "line 4 of captions.txt has no caption",
      "line 5 of captions.txt has 5 columns, not 4: quote captions with commas",
    ],
  });
});

Deno.test("parseKaggleCaptions() keeps absolute names, of which the end is searched", () => {
  const text = "image,caption\n/data/b.jpg,x\nC:\\data\\c.jpg,y\n";
  assert.deepEqual(parse(text), { rows: [["/data/b.jpg", "x"], ["C:\\data\\c.jpg", "y"]], rejected: [] });
});

Deno.test("parseKaggleCaptions() loses one row to a quote that is never closed, not those that follow", () => {
  const text = 'image,caption\na.jpg,x\n\nb.jpg,"never closed\nc.jpg,y\nd.jpg,"also open\ne.jpg,"z , z"\nf.jpg,"open';
  assert.deepEqual(parse(text), {
    rows: [["a.jpg", "x"], ["c.jpg", "y"], ["e.jpg", "z , z"]],
    rejected: [4, 6, 8].map((line) => `line ${line} of captions.txt opens a quote that is not closed`),
  });
  assert.throws(() => parse(`image,caption\n${'a.jpg,"x\n'.repeat(99)}`), {
    name: "InputError",
    message: /captions\.txt has many quotes that are not closed, the last on line \d+; write a quote/,
  });
});

Deno.test("parseKaggleCaptions() names a missing column", () => {
  for (
    const [text, message] of [
      ["image,tags\na.jpg,x", /column 'caption' is missing in captions\.txt; /],
      ["file,caption\na.jpg,x", /column 'image' is missing in captions\.txt; /],
      ["a poem\nof two lines", /column 'image' is missing/],
      ["", /column 'image' is missing/],
    ] as const
  ) {
    assert.throws(
      () => parse(text),
      (error) => error instanceof InputError && message.test(error.message) && !error.message.includes("\n"),
      text,
    );
  }
});

Deno.test("parseKaggleCaptions() follows a split, and rejects an unknown one", () => {
  const text = "image,split,caption\na.jpg,Train,x\nb.jpg,VAL,x\nc.jpg,test,x\nd.jpg,,x\ne.jpg,other,x\n";
  const { rows, rejected, splits } = parseKaggleCaptions(text, "captions.txt");
  assert.deepEqual(rows.map(({ image }) => image), ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]);
  assert.deepEqual(splits, { train: ["a.jpg"], validation: ["b.jpg"], test: ["c.jpg"] });
  assert.match(
    rejected.map(describeRejected).join(),
    /^line 6 of captions\.txt has the split 'other', which is not one of /,
  );
  assert.equal(parseKaggleCaptions("image,caption\na.jpg,x\n", "captions.txt").splits, undefined);
});

Deno.test("parseKaggleCaptions() treats an invisible caption as missing", () => {
  assert.deepEqual(parse("image,caption\na.jpg,\u200b \u00a0\u3000\nb.jpg,。\n"), {
    rows: [["b.jpg", "。"]],
    rejected: ["line 2 of captions.txt has no caption"],
  });
});

Deno.test("isKaggleHeader() wants both columns", () => {
  assert(isKaggleHeader('\uFEFF"image",Caption'));
  assert(!isKaggleHeader("image,tags"));
});

Deno.test("parseKaggleCaptions() reads semicolons, tabs and bars, and Excel's first line", () => {
  const rows = [["a.jpg", "x, y"], ["b.jpg", "y"]];
  for (const [delimiter, before] of [[";", ""], ["\t", ""], ["|", ""], [";", "sep=;\r\n"], [";", '\uFEFF"sep=;"\n']]) {
    const lines = [["image", "caption"], ...rows].map((row) => row.join(delimiter));
    assert(isKaggleHeader(lines[0] ?? ""));
    assert.deepEqual(parse(`${before}${lines.join("\r\n")}\r\n`), { rows, rejected: [] }, `${before}${delimiter}`);
  }
  assert.deepEqual(parse("sep=;\nimage;caption\na.jpg;\n").rejected, ["line 3 of captions.txt has no caption"]);
  assert.deepEqual(parse('image;split;caption\na.jpg;train;x; y\nb.jpg;val;"z"\n').rows, [
    ["a.jpg", "x; y"],
    ["b.jpg", "z"],
  ]);
});

Deno.test("parseKaggleCaptions() reads other names of both columns, and every column of captions", () => {
  for (const header of ["image,text", "file_name,text", "filename,caption", "image_path,comment", "filepath,Caption"]) {
    assert.deepEqual(parse(`${header}\na.jpg,x\n`).rows, [["a.jpg", "x"]], header);
  }
  for (
    const header of ["caption,caption_2", "caption,caption 2", "caption,caption.1", "caption,caption", "text1,text2"]
  ) {
    assert.deepEqual(parse(`image,${header}\na.jpg,x,y\n`).rows, [["a.jpg", "x"], ["a.jpg", "y"]], header);
  }
});

Deno.test("parseKaggleCaptions() says which columns of captions it does not read", () => {
  const remarks = (header: string) => parseKaggleCaptions(`${header}\na.jpg,x,y\n`, "captions.csv").remarks;
  assert.deepEqual(remarks("image,caption,caption_de"), [
    "the column 'caption_de' is not read, only 'caption'; call it 'caption_2' to read both",
  ]);
  assert.equal(remarks("image,caption,caption_id"), undefined);
});

Deno.test("parseKaggleCaptions() reads Flickr30k as Hugging Face has it, whose captions are lists", () => {
  const text = 'raw,sentids,split,filename,img_id\n"[""A kite ."", ""A boat, red .""]","[0, 1]",train,a.jpg,0\n';
  assert.deepEqual(parse(text).rows, [["a.jpg", "A kite ."], ["a.jpg", "A boat, red ."]]);
});
