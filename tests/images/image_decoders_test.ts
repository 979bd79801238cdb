import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeImage } from "../../src/images/decode_image.ts";
import type { DecodeAnswer, DecodeRequest } from "../../src/images/decode_worker.ts";
import { ImageDecoders } from "../../src/images/image_decoders.ts";
import { ImageError } from "../../src/images/image_error.ts";
import { InputError } from "../../src/input_error.ts";
import golden from "../golden/images.json" with { type: "json" };
import { canRead, canWrite } from "../support/test_data.ts";
import { makeFolder } from "../support/temporary_folder.ts";

/**
 * Answers with an image as wide as the path is long; crashes on the path "deadly", never answers "silent", hangs at "busy",
 * and asks for 300 MB for a path that begins with "large", whose image has 110.
 */
const FAKE_WORKER = `data:application/javascript,${
  encodeURIComponent(`
    addEventListener("message", ({ data }) => {
      if (data === "close") return close();
      const { file: { path }, memory } = data;
      if (path === "deadly") throw new Error("out of its depth");
      if (path === "busy") while (true);
      if (path.startsWith("large") && memory < 300e6) postMessage({ memory: 300e6 });
      else if (path !== "silent") {
        const pixels = new Uint8Array(path.startsWith("large") ? 110e6 : 3);
        postMessage({ image: { width: path.length, height: 1, pixels } }, [pixels.buffer]);
      }
    });
  `)
}`;

function fakeDecoders(count: number, timeLimit = 10_000): { decoders: ImageDecoders; started: () => number } {
  let started = 0;
  const decoders = new ImageDecoders({
    count,
    timeLimit,
    newWorker: () => {
      started++;
      return new Worker(FAKE_WORKER, { type: "module" });
    },
  });
  return { decoders, started: () => started };
}

Deno.test(
  "ImageDecoders decodes in Workers as decodeImage() does",
  { ignore: !canRead || !canWrite },
  async () => {
    const files = Object.fromEntries(
      Object.entries(golden.images).map(([name, { file }]) => [name, Uint8Array.fromBase64(file)]),
    );
    await using folder = await makeFolder({ ...files, "text.jpg": "not an image" });
    using decoders = new ImageDecoders({ count: 2 });
    const rejection = assert.rejects(
      decoders.decode({ path: join(folder.path, "text.jpg") }),
      (error) => error instanceof ImageError && /text\.jpg': the file is text/.test(error.message),
    );
    const images = await Promise.all(
      Object.keys(files).map((name) => decoders.decode({ path: join(folder.path, name) })),
    );
    await rejection;
    assert.deepEqual(images, await Promise.all(Object.values(files).map((file) => decodeImage(file))));
  },
);

Deno.test("ImageDecoders decodes with fewer Workers if no more can be started, and fails if none can", async () => {
  let left = 1;
  using decoders = new ImageDecoders({
    count: 3,
    newWorker: () => {
      if (left-- <= 0) throw new InputError("Cannot start a decoder: too many files are open");
      return new Worker(FAKE_WORKER, { type: "module" });
    },
  });
  const images = await Promise.all(["a", "bb", "ccc"].map((path) => decoders.decode({ path })));
  assert.deepEqual(images.map(({ width }) => width), [1, 2, 3]);
  using others = new ImageDecoders({
    newWorker: () => {
      throw new InputError("Cannot start a decoder: too many files are open");
    },
  });
  const refused = await Promise.allSettled(["a", "bb"].map((path) => others.decode({ path })));
  for (const result of refused) {
    assert(
      result.status === "rejected" && result.reason instanceof InputError && !(result.reason instanceof ImageError),
    );
  }
});

Deno.test("ImageDecoders starts at most its number of Workers, and none without work", async () => {
  const { decoders, started } = fakeDecoders(2);
  using _ = decoders;
  assert.equal(started(), 0);
  const paths = Array.from({ length: 9 }, (_, index) => "x".repeat(index + 1));
  const images = await Promise.all(paths.map((path) => decoders.decode({ path })));
  assert.deepEqual(images.map(({ width }) => width), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(started(), 2);
});

Deno.test("ImageDecoders replaces a Worker that crashes, and loses only its image", async () => {
  const { decoders, started } = fakeDecoders(1);
  using _ = decoders;
  const [before, deadly, after] = await Promise.allSettled(
    ["a", "deadly", "abc"].map((path) => decoders.decode({ path })),
  );
  assert.equal(before?.status, "fulfilled");
  assert.equal(after?.status === "fulfilled" && after.value.width, 3);
  assert.ok(deadly?.status === "rejected" && deadly.reason instanceof ImageError);
  assert.match(deadly.reason.message, /^Cannot decode image 'deadly': its decoder failed: .*out of its depth/);
  assert.equal(started(), 2);
});

Deno.test("ImageDecoders replaces a Worker that takes too long, and loses only its image", async () => {
  const { decoders, started } = fakeDecoders(1, 1000);
  using _ = decoders;
  const results = await Promise.allSettled(["a", "busy", "abc"].map((path) => decoders.decode({ path })));
  const [before, hung, after] = results;
  assert.equal(before?.status, "fulfilled");
  assert.equal(after?.status === "fulfilled" && after.value.width, 3);
  assert.ok(hung?.status === "rejected" && hung.reason instanceof ImageError);
  assert.match(hung.reason.message, /^Cannot decode image 'busy': decoding took more than 1 s, /);
  assert.equal(started(), 2);
});

Deno.test("ImageDecoders decodes large images one at a time, and the next when the one before is done with", async () => {
  const { decoders } = fakeDecoders(3);
  using _ = decoders;
  let [atOnce, most] = [0, 0];
  async function use({ width }: { width: number }): Promise<number> {
    most = Math.max(most, ++atOnce);
    await new Promise((resolve) => setTimeout(resolve, 5));
    atOnce--;
    return width;
  }
  const paths = ["large", "large1", "large22"];
  const order = await Promise.all(paths.map((path) => decoders.decodeThen({ path }, use)));
  assert.deepEqual(order, [5, 6, 7]);
  assert.equal(most, 1);
  const small = await Promise.all(["a", "large", "bc"].map((path) => decoders.decode({ path })));
  assert.deepEqual(small.map(({ width }) => width), [1, 5, 2]);
});

Deno.test("ImageDecoders.decodeThen() passes on an error of the image's use, and continues", async () => {
  const { decoders } = fakeDecoders(1);
  using _ = decoders;
  await assert.rejects(
    decoders.decodeThen({ path: "a" }, () => Promise.reject(new Error("no use"))),
    /^Error: no use$/,
  );
  assert.equal(await decoders.decodeThen({ path: "abc" }, ({ width }) => width), 3);
});

Deno.test("ImageDecoders rejects unfinished images when it is closed", async () => {
  const { decoders } = fakeDecoders(1);
  const pending = Promise.allSettled(["silent", "waiting"].map((path) => decoders.decode({ path })));
  decoders[Symbol.dispose]();
  for (const result of [...await pending, ...await Promise.allSettled([decoders.decode({ path: "late" })])]) {
    assert.ok(result.status === "rejected" && result.reason.name === "AbortError");
  }
});

Deno.test("ImageDecoders accepts only a positive number of Workers", () => {
  assert.throws(() => new ImageDecoders({ count: 0 }), RangeError);
  assert.throws(() => new ImageDecoders({ count: 1.5 }), RangeError);
  assert.throws(() => new ImageDecoders({ timeLimit: 0 }), RangeError);
});

/** A Worker that answers on the test's command. */
class PatientWorker extends EventTarget implements Worker {
  readonly onerror = null;
  readonly onmessage = null;
  readonly onmessageerror = null;
  request: Exclude<DecodeRequest, "close"> | undefined;
  ended = false;

  postMessage(request: DecodeRequest): void {
    if (request === "close") this.ended = true;
    else this.request = request;
  }

  terminate(): void {
    this.request = undefined;
    this.ended = true;
  }

  answer(data: DecodeAnswer): void {
    this.request = undefined;
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
}

/** Decoders with at most three such Workers, and their current jobs. */
function patientDecoders() {
  const workers: PatientWorker[] = [];
  const decoders = new ImageDecoders({
    count: 3,
    newWorker() {
      const worker = new PatientWorker();
      workers.push(worker);
      return worker;
    },
  });
  const at = (path: string) =>
    workers.find(({ request }) => request !== undefined && "path" in request.file && request.file.path === path);
  /** Bytes granted to the images being decoded, without the first 16 MB for reading their headers. */
  const granted = () => workers.flatMap(({ request }) => request && request.memory > 16e6 ? [request.memory] : []);
  const finish = (path: string) => at(path)?.answer({ image: { width: 1, height: 1, pixels: new Uint8Array(3) } });
  const ask = (path: string, memory: number) => {
    const image = decoders.decode({ path });
    at(path)?.answer({ memory });
    return image;
  };
  return { decoders, workers, at, granted, finish, ask };
}

Deno.test("ImageDecoders lets images share 350 MB, and decodes a larger one alone", async () => {
  const { decoders, granted, finish, ask } = patientDecoders();
  using _ = decoders;
  const images = [ask("a", 175e6), ask("b", 175e6)];
  assert.deepEqual(granted(), [175e6, 175e6]);
  ["a", "b"].forEach(finish);
  await Promise.all(images);
  images.push(ask("c", 176e6), ask("d", 175e6));
  assert.deepEqual(granted(), [176e6]);
  finish("c");
  await images[2];
  assert.deepEqual(granted(), [175e6]);
  finish("d");
  await images[3];
  images.push(ask("e", 400e6));
  assert.deepEqual(granted(), [400e6]);
  finish("e");
  await images[4];
});

Deno.test("ImageDecoders closes a Worker that used over 100 MB, and idle ones before an image of over 175 MB", async () => {
  const { decoders, workers, finish, ask } = patientDecoders();
  using _ = decoders;
  const ended = () => workers.map(({ ended }) => ended);
  for (
    const [memory, expected] of [
      [100e6, [false]],
      [101e6, [true]],
      [30e6, [true, false]],
      [176e6, [true, true, true]],
    ] as const
  ) {
    const image = ask("a", memory);
    finish("a");
    await image;
    assert.deepEqual(ended(), expected, `${memory}`);
  }
});

Deno.test("ImageDecoders counts a large image that took too long as memory in use until its Worker has ended", async () => {
  const { setTimeout } = globalThis;
  const timers: (() => void)[] = [];
  const noTimer = -1;
  const wait = (run: () => void) => timers.push(run) && noTimer;
  globalThis.setTimeout = wait as unknown as typeof setTimeout;
  try {
    const { decoders, at, granted, finish, ask } = patientDecoders();
    using _ = decoders;
    const slow = ask("slow", 300e6);
    const late = at("slow");
    const next = ask("next", 300e6);
    assert.equal(timers.length, 3, "two looks and one decoding");
    timers[1]?.();
    await assert.rejects(slow, /more than 10 s/);
    assert.deepEqual([late?.ended, granted().length], [true, 1], "the late one only");
    late?.answer({ closed: true });
    assert.deepEqual(granted(), [300e6], "the next");
    finish("next");
    await next;
  } finally {
    globalThis.setTimeout = setTimeout;
  }
});

Deno.test("ImageDecoders.decodeThen() drops an image as soon as its signal is aborted, waiting or being decoded", async () => {
  const { decoders, at, granted, finish, ask } = patientDecoders();
  using _ = decoders;
  const client = new AbortController();
  const used: number[] = [];
  const drop = (path: string) =>
    assert.rejects(
      decoders.decodeThen({ path }, ({ width }) => used.push(width), { signal: client.signal }),
      RangeError,
    );
  const dropped = [drop("running"), drop("small")];
  at("running")?.answer({ memory: 300e6 });
  const large = ask("large", 300e6);
  assert.deepEqual(granted(), [300e6]);
  dropped.push(drop("waiting"));
  client.abort(new RangeError("gone"));
  await Promise.all([...dropped, drop("late")]);
  assert.deepEqual(granted(), [300e6], "a Worker decodes to the end, and holds its memory");
  finish("running");
  assert.deepEqual([granted(), at("large") !== undefined, at("waiting")], [[300e6], true, undefined]);
  at("small")?.answer({ memory: 50e6 });
  assert.deepEqual([granted(), at("small")], [[300e6], undefined], "is not asked for again");
  finish("large");
  await large;
  const other = new AbortController();
  const decoded = decoders.decodeThen({ path: "decoded" }, ({ width }) => used.push(width), { signal: other.signal });
  finish("decoded");
  other.abort(new RangeError("gone"));
  await assert.rejects(decoded, RangeError);
  assert.deepEqual(used, []);
});

Deno.test("ImageDecoders.decodeThen() frees an image's memory after its use", async () => {
  const { decoders } = fakeDecoders(1);
  using _ = decoders;
  const pixels = await decoders.decodeThen({ path: "a" }, (image) => image.pixels);
  assert.equal(pixels.length, 0);
});

Deno.test("ImageDecoders does not count the time that a Worker takes to load its decoder", async () => {
  const source = `onmessage = ({ data }) => {
    if (data === "close") return postMessage({ closed: true });
    setTimeout(() => {
      postMessage({ loaded: true });
      if (data.file.path === "quick") postMessage({ image: { width: 1, height: 1, pixels: new Uint8Array(3) } });
    }, 20);
  };`;
  const newWorker = () => new Worker(`data:text/javascript,${encodeURIComponent(source)}`, { type: "module" });
  using decoders = new ImageDecoders({ count: 1, timeLimit: 10, newWorker });
  assert.equal((await decoders.decode({ path: "quick" })).width, 1);
  using others = new ImageDecoders({ count: 1, timeLimit: 10, newWorker });
  await assert.rejects(others.decode({ path: "slow" }), /decoding took more than 0.01 s/);
});
