import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { findImagenetWeights } from "../../src/checkpoint/imagenet_weights.ts";
import { downloadWeights, type DownloadWeightsOptions } from "../../src/checkpoint/weights_download.ts";
import { InputError } from "../../src/input_error.ts";
import { canRun } from "../support/test_data.ts";
import { namesIn, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";
import {
  type Answer,
  canServe,
  DIGEST,
  FILE_NAME,
  some,
  startClosingServer,
  startServer,
  startUntrustedServer,
  WEIGHTS,
  type WeightsServer,
  whole,
} from "./weights_server.ts";

const ONE_LINE = /^[^\p{Cc}\p{Zl}\p{Zp}]+$/u;

/** A server, and an empty folder for the downloads. */
interface Setting {
  readonly server: WeightsServer;
  readonly path: string;
  readonly file: (name: string) => string;
  /** Fetches the file; fails in a moment. */
  fetch(options?: Partial<DownloadWeightsOptions>): Promise<string>;
  /** Compares the download with the server's file. */
  checkWhole(fetched: string): Promise<void>;
  /** Downloads and checks for an `InputError` of one line with the remedy. */
  checkFails(message: RegExp, options?: Partial<DownloadWeightsOptions>): Promise<void>;
}

function downloadTest(name: string, answer: Answer, fn: (setting: Setting) => Promise<void>): void {
  Deno.test({
    name,
    ignore: NEEDS_FILES.ignore || !canServe,
    async fn() {
      await using folder = await temporaryFolder();
      await using server = startServer(answer);
      const { path, file } = folder;
      const fetch: Setting["fetch"] = (options) =>
        downloadWeights(FILE_NAME, { folder: path, origin: server.origin, ...options });
      await fn({
        server,
        path,
        file,
        fetch,
        async checkWhole(fetched) {
          assert.equal(fetched, file(FILE_NAME));
          assert.deepEqual(namesIn(path), [FILE_NAME]);
          assert.equal(createHash("sha256").update(await Deno.readFile(fetched)).digest("hex"), DIGEST);
        },
        async checkFails(message, options) {
          await assert.rejects(fetch(options), (error) => {
            assert.ok(error instanceof InputError, String(error));
            assert.match(error.message, message);
            assert.match(error.message, ONE_LINE);
            return true;
          });
        },
      });
    },
  });
}

/** Counts the requests that are made meanwhile, and answers them if it is given an answer. */
async function countRequests(fn: () => Promise<void>, answer = globalThis.fetch): Promise<number> {
  const { fetch } = globalThis;
  let count = 0;
  globalThis.fetch = (...request) => {
    count++;
    return answer(...request);
  };
  try {
    await fn();
  } finally {
    globalThis.fetch = fetch;
  }
  return count;
}

const ADVICE =
  `download http://127\\.0\\.0\\.1:\\d+/models/${FILE_NAME} elsewhere and name the file with --encoder-weights FILE$`;

downloadTest(
  "downloadWeights() downloads a file into a new folder, and reports its progress",
  whole,
  async ({
    fetch,
    path,
    file,
    server,
  }) => {
    const progress: [number, number][] = [];
    const folder = file("cache/lrcn");
    const fetched = await fetch({ folder, onProgress: (...bytes) => progress.push(bytes) });
    assert.equal(fetched, `${folder}/${FILE_NAME}`);
    assert.deepEqual([namesIn(path), namesIn(folder)], [["cache"], [FILE_NAME]]);
    assert.equal(createHash("sha256").update(await Deno.readFile(fetched)).digest("hex"), DIGEST);
    assert.deepEqual(progress.at(-1), [WEIGHTS.length, WEIGHTS.length]);
    assert.ok(progress.every(([done, total], at) => done > (progress[at - 1]?.[0] ?? 0) && total === WEIGHTS.length));
    assert.equal(server.requests(), 1);
  },
);

downloadTest("downloadWeights() downloads no file that exists", whole, async ({ fetch, server, checkWhole }) => {
  await fetch();
  await checkWhole(await fetch());
  assert.equal(server.requests(), 1);
});

downloadTest("downloadWeights() reports a damaged file, and downloads it again", whole, async ({
  fetch,
  file,
  server,
  checkWhole,
}) => {
  await fetch();
  const damaged = WEIGHTS.with(200_000, (WEIGHTS[200_000] ?? 0) ^ 1);
  await Deno.writeFile(file(FILE_NAME), damaged);
  const notes: string[] = [];
  await checkWhole(await fetch({ onNote: (line) => notes.push(line) }));
  const found = createHash("sha256").update(damaged).digest("hex");
  assert.deepEqual(notes, [
    `'${file(FILE_NAME)}' is damaged, its SHA-256 is ${found}, but its name says ${DIGEST.slice(0, 8)}...: ` +
    "downloading it again",
  ]);
  assert.equal(server.requests(), 2);
});

downloadTest(
  "downloadWeights() fails if a damaged file cannot be downloaded again, and keeps it",
  () => new Response(null, { status: 404 }),
  async ({ path, file, checkFails }) => {
    await Deno.writeFile(file(FILE_NAME), WEIGHTS.subarray(1));
    const notes: string[] = [];
    for (const count of [1, 2]) {
      await checkFails(new RegExp(`: the server answers with status 404; ${ADVICE}`), {
        onNote: (line) => notes.push(line),
      });
      assert.equal(notes.length, count);
      assert.deepEqual(namesIn(path), [FILE_NAME]);
    }
  },
);

downloadTest(
  "downloadWeights() removes wrong bytes and says both digests",
  () => new Response("<html>Log in to the network of this hotel</html>"),
  async ({ path, checkFails }) => {
    const found = createHash("sha256").update("<html>Log in to the network of this hotel</html>").digest("hex");
    await checkFails(
      new RegExp(`has the SHA-256 ${found}, but its name says ${DIGEST.slice(0, 8)}\\.\\.\\.; ${ADVICE}`),
    );
    assert.deepEqual(namesIn(path), []);
  },
);

downloadTest(
  "downloadWeights() leaves nothing if the server closes the connection early, and starts again the next time",
  (_, count) => count === 1 ? some(50_000) : whole(),
  async ({ fetch, path, checkFails, checkWhole }) => {
    await checkFails(new RegExp(`: the server closed the connection early, start again; ${ADVICE}`));
    assert.deepEqual(namesIn(path), []);
    await checkWhole(await fetch());
  },
);

downloadTest("downloadWeights() reports that a server closes the connection before its answer", whole, async ({
  checkFails,
}) => {
  await using server = startClosingServer();
  await checkFails(new RegExp(`: the server closed the connection early, start again; ${ADVICE}`), {
    origin: server.origin,
  });
});

for (const status of [404, 503, 206]) {
  downloadTest(
    `downloadWeights() reports the server's status ${status}`,
    () => new Response("no", { status }),
    async ({ path, checkFails }) => {
      await checkFails(new RegExp(`^Cannot download http://.*: the server answers with status ${status}; ${ADVICE}`));
      assert.deepEqual(namesIn(path), []);
    },
  );
}

downloadTest("downloadWeights() reports that there is no server", whole, async ({ checkFails }) => {
  // A port that was free a moment ago.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  const origin = `http://127.0.0.1:${listener.addr.port}/models/`;
  await checkFails(new RegExp(`: the server refuses the connection, check the network; ${ADVICE}`), { origin });
});

downloadTest(
  "downloadWeights() names the variables of TLS if it does not trust a server",
  whole,
  async ({ checkFails }) => {
    await using server = startUntrustedServer();
    await checkFails(
      /: its TLS certificate is not trusted .* DENO_TLS_CA_STORE=system, or DENO_CERT .*; download https:/,
      { origin: server.origin },
    );
  },
);

Deno.test({
  name: "downloadWeights() names the variable of the proxy that refuses a connection",
  ignore: NEEDS_FILES.ignore || !canServe || !canRun,
  async fn() {
    await using folder = await temporaryFolder();
    using proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const module = new URL("../../src/checkpoint/weights_download.ts", import.meta.url).href;
    const options = JSON.stringify({ folder: folder.path, origin: "https://weights.example/" });
    const program = `const { downloadWeights } = await import("${module}");
      await downloadWeights("${FILE_NAME}", ${options}).catch(({ message }) => console.log(message));`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", program],
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      env: { HTTPS_PROXY: `http://127.0.0.1:${proxy.addr.port}`, NO_PROXY: "" },
    }).output();
    using connection = await proxy.accept();
    await connection.read(new Uint8Array(1024));
    await connection.write(new TextEncoder().encode("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
    const { stdout } = await child;
    assert.match(new TextDecoder().decode(stdout), /: the proxy of HTTPS_PROXY refuses the connection \(.*\), correct/);
  },
});

downloadTest("downloadWeights() reports that the server's name is unknown", whole, async ({ checkFails }) => {
  const message = "error sending request for url (http://none/): client error (Connect): dns error: failed to lookup";
  await countRequests(
    () => checkFails(new RegExp(`: the server's name cannot be found, check the network; ${ADVICE}`)),
    () => Promise.reject(new TypeError(message)),
  );
});

downloadTest(
  "downloadWeights() ends with the signal's reason, also if the server sends nothing, and leaves nothing",
  () => some(50_000, { stalls: true }),
  async ({ fetch, path }) => {
    const controller = new AbortController();
    const onProgress = (bytes: number) => bytes === 50_000 && controller.abort();
    await assert.rejects(fetch({ signal: controller.signal, onProgress }), { name: "AbortError" });
    await assert.rejects(fetch({ signal: AbortSignal.abort() }), { name: "AbortError" });
    assert.deepEqual(namesIn(path), []);
  },
);

downloadTest("downloadWeights() gives two that ask at the same time the whole file", whole, async ({
  fetch,
  checkWhole,
}) => {
  for (const fetched of await Promise.all([fetch(), fetch()])) await checkWhole(fetched);
});

downloadTest(
  "downloadWeights() reports a full disk, and a folder it cannot write to",
  whole,
  async ({ path, file, checkFails }) => {
    await Deno.writeTextFile(file("file"), "");
    await checkFails(/^Cannot write '.*file': /, { folder: file("file") });
    const { write } = Deno.FsFile.prototype;
    Deno.FsFile.prototype.write = () => Promise.reject(Object.assign(new Error("os error 28"), { code: "ENOSPC" }));
    try {
      await checkFails(/^Cannot write '.*\.pth': the disk is full, free some space$/);
    } finally {
      Deno.FsFile.prototype.write = write;
    }
    assert.deepEqual(namesIn(path), ["file"]);
  },
);

Deno.test("downloadWeights() is wrong to be used for a name without a digest", async () => {
  await assert.rejects(downloadWeights("weights.pth", { folder: "none", origin: "http://127.0.0.1/" }), TypeError);
});

downloadTest(
  "findImagenetWeights() asks for the names that torchvision published",
  () => new Response(null, { status: 404 }),
  async ({ server, path }) => {
    for (
      const [name, file] of [
        ["resnet18", "resnet18-f37072fd.pth"],
        ["resnet34", "resnet34-b627a593.pth"],
        ["resnet50", "resnet50-0676ba61.pth"],
        ["resnet101", "resnet101-63fe2227.pth"],
        ["resnet152", "resnet152-394f9c45.pth"],
      ] as const
    ) {
      await assert.rejects(
        findImagenetWeights(name, { folder: path, origin: server.origin }),
        (error) => error instanceof InputError && error.message.startsWith(`Cannot download ${server.origin}${file}: `),
      );
    }
  },
);

Deno.test({
  name: "findImagenetWeights() takes those of a Python package from either folder, undamaged, and downloads none",
  ignore: NEEDS_FILES.ignore,
  async fn() {
    await using folder = await temporaryFolder();
    const [own, installed] = [folder.file("own"), folder.file("installed")];
    for (const place of [own, installed]) {
      await Deno.mkdir(place);
      await Deno.writeTextFile(`${place}/efficientnet-lite2-9656183e.pth`, "damaged");
    }
    const requests = await countRequests(() =>
      assert.rejects(findImagenetWeights("efficientnet-lite2", { folder: own, installed }), {
        name: "InputError",
        message: `Cannot find '${installed}/efficientnet-lite2-9656183e.pth', the ImageNet weights of ` +
          "efficientnet-lite2: install them with deno task build --weights efficientnet-lite2",
      })
    );
    assert.equal(requests, 0);
  },
});

Deno.test({
  name: "findImagenetWeights() passes on that it may not use the network",
  ignore: NEEDS_FILES.ignore || (await Deno.permissions.query({ name: "net", host: "192.0.2.1" })).state === "granted",
  async fn() {
    await using folder = await temporaryFolder();
    const options = { folder: folder.path, origin: "http://192.0.2.1/" };
    await assert.rejects(findImagenetWeights("resnet50", options), Deno.errors.NotCapable);
  },
});
