import { join } from "node:path";
import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import { isFile, listFolder, statIfSeen } from "../files/list_folder.ts";
import { InputError } from "../input_error.ts";
import { readReportedRun } from "./reported_run.ts";

/** A run in {@linkcode listRuns}. */
export interface ListedRun {
  /** The folder's name. */
  readonly name: string;
  /** When it was started. */
  readonly started: Date;
  readonly recipe: string;
  readonly encoder: string;
  /** Epochs that are done, and the most that it trains. */
  readonly epochs: number;
  readonly maxEpochs: number;
  /** Epoch and CIDEr on the validation set of its best checkpoint; null if there is none. */
  readonly best: { readonly epoch: number; readonly cider: number | null } | null;
  /** Size of its files in bytes. */
  readonly bytes: number;
}

/** The result of {@linkcode listRuns}. */
export interface RunList {
  /** The newest first. */
  readonly runs: readonly ListedRun[];
  /** A line for each folder with a run that cannot be read. */
  readonly problems: readonly string[];
}

/**
 * Lists the runs in a folder.
 *
 * @throws {InputError} If it cannot be read.
 */
export async function listRuns(folder: string): Promise<RunList> {
  const { folders } = await listFolder(folder, "runs");
  const runs: ListedRun[] = [];
  const problems: string[] = [];
  for (const name of folders) {
    if (!await isFile(join(folder, name, "config.json"))) continue;
    try {
      runs.push(await readRun(folder, name));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push(error.message);
    }
  }
  return { runs: runs.toSorted((a, b) => b.started.getTime() - a.started.getTime()), problems };
}

async function readRun(folder: string, name: string): Promise<ListedRun> {
  const path = join(folder, name);
  const { settings, epochs } = await readReportedRun(path);
  const { files } = await listFolder(path, "run");
  // A link may lead nowhere, and training removes files.
  const sizes = await Promise.all(files.map(async (file) => (await statIfSeen(join(path, file)))?.size ?? 0));
  return {
    name,
    // Written once, at the start.
    started: (await Deno.stat(join(path, "config.json"))).mtime ?? new Date(0),
    recipe: settings["name"] ?? "",
    encoder: settings["encoder"] ?? "",
    epochs: epochs.length,
    maxEpochs: Number(settings["epochs"] ?? 0),
    best: files.includes("best.safetensors") ? await readBest(join(path, "best.safetensors")) : null,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

async function readBest(path: string): Promise<ListedRun["best"]> {
  using checkpoint = await openCheckpoint(path);
  const { epoch, metrics } = checkpoint.metadata;
  return { epoch, cider: metrics["cider"] ?? null };
}
