import assert from "node:assert/strict";
import type { FileCaption, FileProblem } from "../../src/captioning/caption_files.ts";
import {
  CaptionOutput,
  type CaptionOutputOptions,
  CaptionProgress,
  printCaptions,
  type PrintCaptionsOptions,
} from "../../src/cli/print_captions.ts";
import { InputError } from "../../src/input_error.ts";

const DOG: FileCaption = {
  image: "dog.jpg",
  text: "a dog runs",
  logProbability: -1.23456,
  tokens: ["a", "dog", "runs"],
};
const KITE: FileCaption = {
  image: "kite.jpg",
  text: "a kite",
  logProbability: -2,
  tokens: ["a", "kite"],
  alternatives: [{ text: "two kites", logProbability: -3.5, tokens: ["two", "kites"] }],
};

const MODEL = { name: "runs/first", epoch: 12, cider: 0.561 };
const withModel = (caption: FileCaption) => ({ ...caption, model: MODEL });

function printed(options: Partial<CaptionOutputOptions>, captions = [DOG, KITE]): string {
  const output = new CaptionOutput({ format: "text", single: false, ranked: false, model: MODEL, ...options });
  return captions.map((caption) => output.add(caption)).join("") + output.end();
}

Deno.test("CaptionOutput writes image, tab and caption for several images, and only the caption for one", () => {
  assert.equal(printed({}), "dog.jpg\ta dog runs\nkite.jpg\ta kite\n");
  assert.equal(printed({ single: true }, [DOG]), "a dog runs\n");
});

Deno.test("CaptionOutput writes rank and log-probability of the n best captions, a line each", () => {
  assert.equal(
    printed({ ranked: true }),
    "dog.jpg\t1\t-1.2346\ta dog runs\nkite.jpg\t1\t-2.0000\ta kite\nkite.jpg\t2\t-3.5000\ttwo kites\n",
  );
  assert.equal(printed({ ranked: true, single: true }, [KITE]), "1\t-2.0000\ta kite\n2\t-3.5000\ttwo kites\n");
});

Deno.test("CaptionOutput writes one array, piece by piece, or an object a line, each with its model", () => {
  const objects = [withModel(DOG), withModel(KITE)];
  assert.deepEqual(JSON.parse(printed({ format: "json" })), objects);
  assert.equal(printed({ format: "json" }, [DOG]), `${JSON.stringify(objects.slice(0, 1), null, 2)}\n`);
  assert.equal(printed({ format: "json" }, []), "[]\n");
  assert.deepEqual(printed({ format: "jsonl" }).trimEnd().split("\n").map((line) => JSON.parse(line)), objects);
  assert.equal(printed({ format: "jsonl" }, []), "");
});

Deno.test("CaptionOutput escapes names that would break a line or control the terminal", () => {
  const image = "a\tb\n\u001b[31m\u009b\u202e.jpg";
  assert.equal(printed({}, [{ ...DOG, image }]), "a\\u0009b\\u000a\\u001b[31m\\u009b\\u202e.jpg\ta dog runs\n");
  const jsonl = printed({ format: "jsonl" }, [{ ...DOG, image, text: "a\u2067dog" }]);
  const json = printed({ format: "json" }, [{ ...DOG, image, text: "a\u2067dog" }]);
  for (const text of [jsonl, json]) assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Bidi_Control}]/u);
  assert.deepEqual([JSON.parse(jsonl)], JSON.parse(json));
  assert.equal(JSON.parse(jsonl).image, image);
});

Deno.test("CaptionOutput writes tables with a header, in CSV with quotes and in TSV with escapes", () => {
  const odd: FileCaption = { ...DOG, image: 'a,"b"\t.jpg', text: " one, two" };
  assert.equal(
    printed({ format: "csv" }, [DOG, odd]),
    'image,caption\ndog.jpg,a dog runs\n"a,""b""\t.jpg"," one, two"\n',
  );
  assert.equal(printed({ format: "tsv" }, [odd]), 'image\tcaption\na,"b"\\u0009.jpg\t one, two\n');
  assert.equal(
    printed({ format: "csv", ranked: true }, [KITE]),
    "image,caption,rank,logProbability\nkite.jpg,a kite,1,-2.0000\nkite.jpg,two kites,2,-3.5000\n",
  );
  assert.equal(printed({ format: "csv" }, []), "");
});

async function* results(...all: (FileCaption | FileProblem | Error)[]) {
  for (const result of all) {
    if (result instanceof Error) throw result;
    yield result;
    await Promise.resolve();
  }
}

async function run(
  source: ReturnType<typeof results>,
  { print, also }: Partial<Pick<PrintCaptionsOptions, "print" | "also">> = {},
) {
  let text = "";
  const lines: string[] = [];
  let stopped = false;
  using progress = new CaptionProgress({ total: 3, terminal: false, now: () => 0 });
  const options = {
    output: new CaptionOutput({ format: "json", single: false, ranked: false, model: MODEL }),
    progress,
    print: print ?? ((piece: string) => Promise.resolve(void (text += piece))),
    printProblem: (line: string) => void lines.push(line),
    stop: () => void (stopped = true),
    also,
  };
  try {
    return { problems: await printCaptions(source, options), text, lines, stopped };
  } catch (error) {
    return { error, text, lines, stopped };
  }
}

Deno.test("printCaptions() prints captions, and problems separately", async () => {
  const { problems, text, lines } = await run(results(DOG, { image: "x", problem: "Cannot read x" }, KITE));
  assert.deepEqual(JSON.parse(text), [withModel(DOG), withModel(KITE)]);
  assert.deepEqual([problems, lines], [1, ["error: Cannot read x"]]);
});

Deno.test("printCaptions() counts an image as a problem if what else is done with its caption fails", async () => {
  const done: string[] = [];
  const also = ({ image }: FileCaption) => {
    done.push(image);
    return image === "dog.jpg" ? Promise.reject(new InputError("Cannot write x")) : Promise.resolve();
  };
  const { problems, text, lines } = await run(results(DOG, KITE), { also });
  assert.deepEqual([problems, lines, done], [1, ["error: Cannot write x"], ["dog.jpg", "kite.jpg"]]);
  assert.deepEqual(JSON.parse(text), [withModel(DOG), withModel(KITE)]);
});

Deno.test("printCaptions() closes the array if it fails, and prints nothing if nothing was printed", async () => {
  const failed = await run(results(DOG, new Error("broken")));
  assert.match(String(failed.error), /broken/);
  assert.deepEqual(JSON.parse(failed.text), [withModel(DOG)]);
  assert.equal((await run(results(new Error("broken")))).text, "");
});

Deno.test("printCaptions() stops the source and ends quietly if the reader has closed the output", async () => {
  const { problems, stopped, error } = await run(
    results(DOG, KITE),
    { print: () => Promise.reject(new Deno.errors.BrokenPipe("closed")) },
  );
  assert.deepEqual([problems, stopped, error], [0, true, undefined]);
});
