import { join } from "node:path";
import { makeFolder, type TemporaryFolder } from "../../support/temporary_folder.ts";
import { canRunTasks, PROJECT, type RunningTask, startTask, type StartTaskOptions } from "../../support/run_task.ts";

const CHECKPOINT = join(PROJECT, "tests/golden/checkpoint/captioner.safetensors");

/** Whether tests may start servers and connect to them. */
export const canServe: boolean = canRunTasks &&
  (await Deno.permissions.query({ name: "net", host: "127.0.0.1" })).state === "granted";

/** Options for the model of {@linkcode folderWithModel}. */
export const MODEL: readonly string[] = [
  ...["--checkpoint", "best.safetensors", "--device", "cpu", "--precision", "fp32", "--threads", "1"],
];

/** Creates a temporary folder with a model and files. */
export async function folderWithModel(
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<TemporaryFolder> {
  return await makeFolder({ "best.safetensors": await Deno.readFile(CHECKPOINT), ...files });
}

/** Starts a server on a free port, and waits for its address. */
export async function serve(
  folder: string,
  args: readonly string[] = [],
  options: Omit<StartTaskOptions, "folder"> = {},
): Promise<RunningTask & { readonly url: string }> {
  const task = startTask("serve", [...MODEL, "--port", "0", ...args], { folder, ...options });
  const [, url = ""] = await task.printed(/(http:\/\/127\.0\.0\.1:\d+)\b/);
  return { ...task, url };
}
