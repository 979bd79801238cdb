import { InputError } from "../../input_error.ts";
import type { WriteLabels } from "./labels_file.ts";
import type { WrittenAnswer } from "./labels_writer_worker.ts";

/**
 * Starts a Worker that writes labels, the only part of the process that may write: it may write in one folder, and the
 * process gives up its own permission. Needs `--unstable-worker-options`.
 *
 * @param folder The real path of the folder.
 */
export async function startLabelsWriter(folder: string): Promise<{ readonly write: WriteLabels } & Disposable> {
  const worker = new Worker(new URL("./labels_writer_worker.ts", import.meta.url), {
    type: "module",
    deno: { permissions: { read: [folder], write: [folder] } },
  });
  await Deno.permissions.revoke({ name: "write" });
  return {
    async write(path, text) {
      const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
      worker.onmessage = ({ data }: MessageEvent<WrittenAnswer>) => resolve(data.problem);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage({ path, text });
      const problem = await promise;
      if (problem !== undefined) throw new InputError(problem);
    },
    [Symbol.dispose]: () => worker.terminate(),
  };
}
