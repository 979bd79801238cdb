import { basename, dirname } from "node:path";
import { removeStaleTemporaries } from "../../files/stale_temporaries.ts";
import { writeAtomic } from "../../files/write_atomic.ts";

/** What the Worker answers to a file to write. */
export interface WrittenAnswer {
  /** The reason if it could not be written. */
  readonly problem: string | undefined;
}

// Deno's type checker assumes a main thread, which has no postMessage.
const worker = globalThis as unknown as Pick<Worker, "onmessage" | "postMessage">;

worker.onmessage = async ({ data: { path, text } }: MessageEvent<{ path: string; text: string }>) => {
  let problem: string | undefined;
  try {
    // The folder is locked, so that these are of a process that was killed.
    await removeStaleTemporaries(dirname(path), [basename(path)]);
    await writeAtomic(path, [new TextEncoder().encode(text)]);
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  worker.postMessage({ problem } satisfies WrittenAnswer);
};
