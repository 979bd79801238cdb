// Downloads weights whose file name contains the first digits of their SHA-256.

import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileDigest } from "../files/file_digest.ts";
import { fileErrorReason } from "../files/file_error.ts";
import { isFile } from "../files/list_folder.ts";
import { writeAtomic } from "../files/write_atomic.ts";
import { InputError } from "../input_error.ts";

export interface DownloadWeightsOptions {
  /** The target folder; created if missing. */
  readonly folder: string;
  /** The URL of the source folder, with a trailing slash. */
  readonly origin: string;
  /** Called with the progress in bytes; the total is 0 if the server does not say. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Receives notes for the user, for example that the existing file is damaged. */
  readonly onNote?: (line: string) => void;
  /** Aborts the download. */
  readonly signal?: AbortSignal;
}

const DIGEST_IN_NAME = /-([0-9a-f]{8,64})\.\w+$/;

/**
 * Downloads a file once. An existing file is verified, and downloaded again if it is damaged. The file gets its name when
 * it is complete and its SHA-256 begins with the digits in that name; until then an existing file stays.
 *
 * @param fileName For example `resnet50-0676ba61.pth`.
 * @returns The file's path in the folder.
 * @throws {InputError} If it cannot be downloaded or written, or has the wrong digest; the message names the remedy.
 * @throws {DOMException} The signal's reason, if it was aborted.
 * @throws {TypeError} If the name contains no digest.
 */
export async function downloadWeights(fileName: string, options: DownloadWeightsOptions): Promise<string> {
  const { folder, origin, onNote = () => {} } = options;
  const digest = DIGEST_IN_NAME.exec(fileName)?.[1];
  if (digest === undefined) throw new TypeError(`Cannot download '${fileName}': its name contains no digest`);
  const path = join(folder, fileName);
  if (await isFile(path)) {
    const found = await fileDigest(path);
    if (found.startsWith(digest)) return path;
    onNote(`'${path}' is damaged, its SHA-256 is ${found}, but its name says ${digest}...: downloading it again`);
  }
  await createFolder(folder);
  await writeAtomic(path, download(new URL(fileName, origin).href, digest, options));
  return path;
}

/** Whether the file exists and its SHA-256 starts with the digits in its name. */
export async function isUndamaged(path: string): Promise<boolean> {
  const digest = DIGEST_IN_NAME.exec(path)?.[1];
  return digest !== undefined && await isFile(path) && (await fileDigest(path)).startsWith(digest);
}

async function createFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot write '${path}': ${fileErrorReason(error)}`, { cause: error });
  }
}

/** A server that sends nothing for so long will send nothing more. */
const STALL_MS = 60_000;

/** The bytes of a file. It throws at the end if their digest is wrong. */
async function* download(url: string, digest: string, options: DownloadWeightsOptions): AsyncGenerator<Uint8Array> {
  const { onProgress = () => {}, signal } = options;
  const fail = (reason: string, cause?: unknown) =>
    new InputError(
      `Cannot download ${url}: ${reason}; download ${url} elsewhere and name the file with --encoder-weights FILE`,
      { cause },
    );
  const hash = createHash("sha256");
  const stalled = new AbortController();
  const wait = () => setTimeout(() => stalled.abort(new TypeError("the server sends nothing")), STALL_MS);
  let timer = wait();
  const signals = AbortSignal.any([stalled.signal, ...(signal === undefined ? [] : [signal])]);
  try {
    // Compressed bytes would not be those that content-length counts.
    const response = await fetch(url, { headers: { "accept-encoding": "identity" }, signal: signals });
    const { status, body } = response;
    if (status !== 200 || body === null) {
      await body?.cancel();
      throw fail(`the server answers with status ${status}`);
    }
    const total = Number(response.headers.get("content-length"));
    let done = 0;
    for await (const chunk of body) {
      clearTimeout(timer);
      timer = wait();
      hash.update(chunk);
      onProgress(done += chunk.byteLength, total);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof TypeError ? fail(networkReason(error), error) : error;
  } finally {
    clearTimeout(timer);
  }
  const found = hash.digest("hex");
  if (!found.startsWith(digest)) {
    throw fail(`the download has the SHA-256 ${found}, but its name says ${digest}...`);
  }
}

function networkReason({ message, cause }: TypeError): string {
  const words = cause instanceof Error ? cause.message : message;
  // The text before is the URL.
  const rest = words.replace(/^.*?\): (?:client error \(\w+\): )?/s, "").replaceAll(/\s+/g, " ");
  if (/certificate/i.test(rest)) {
    return `its TLS certificate is not trusted (${rest}); if a proxy of your organization replaces certificates, set ` +
      "DENO_TLS_CA_STORE=system, or DENO_CERT to the file of its certificate";
  }
  if (/tunnel|proxy/i.test(rest)) {
    return `the proxy of HTTPS_PROXY refuses the connection (${rest}), correct the variable`;
  }
  if (/dns error/i.test(words)) return "the server's name cannot be found, check the network";
  if (/connection refused/i.test(words)) return "the server refuses the connection, check the network";
  if (words === "the server sends nothing") return "the server sends nothing, check the network and start again";
  if (/reading a body|connection closed/i.test(words)) return "the server closed the connection early, start again";
  return `the network failed: ${rest}; check the network, and HTTPS_PROXY if there is a proxy`;
}
