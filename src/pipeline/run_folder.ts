/**
 * The files of a training run: `config.json`, `metrics.jsonl`, `best.safetensors` and `last.safetensors`. Each is written
 * whole or not at all; only `steps.jsonl` grows with each step.
 *
 * @module
 */

import { basename, join } from "node:path";
import { z } from "zod";
import { fileErrorReason } from "../files/file_error.ts";
import { openRegular, readRegularText } from "../files/open_file.ts";
import { removeStaleTemporaries } from "../files/stale_temporaries.ts";
import { writeAtomic } from "../files/write_atomic.ts";
import { InputError } from "../input_error.ts";
import { type Format, FORMAT_NAMES } from "../data/format_names.ts";
import { makeRecipe, type Recipe, RECIPE_NAMES } from "./recipe.ts";

/** Where a dataset is, as absolute paths, and how it is read. */
export interface DatasetOrigin {
  /** The folder with captions and images. */
  readonly data?: string | undefined;
  /** The captions file or files. */
  readonly captions?: string | readonly string[] | undefined;
  /** The folder of images. */
  readonly images?: string | undefined;
  /** The folder of the official split lists. */
  readonly splits?: string | undefined;
  /** The format of the captions, if it is not detected. */
  readonly format?: Format | undefined;
  /** Whether an unusable row is an error. */
  readonly strict?: boolean | undefined;
  /** Use at most this many images. */
  readonly maxImages?: number | undefined;
  /** Skip images with more pixels. */
  readonly maxPixels?: number | undefined;
}

/** The options of a run: what resuming needs besides its checkpoint. */
export interface RunConfig {
  readonly recipe: Recipe;
  readonly seed: number;
  readonly device: "cpu" | "cuda";
  readonly precision: "fp32" | "fp32-strict" | "bf16" | "fp64";
  /** CPU threads; 0 for libtorch's choice. */
  readonly threads: number;
  /** The file of the encoder's pretrained weights, or null. */
  readonly encoderWeights: string | null;
  /** The checkpoint that the run started from, or null. */
  readonly initialWeights: string | null;
  /** Where its data was; null for rendered scenes. */
  readonly dataset: DatasetOrigin | null;
  /** A digest of its data. */
  readonly datasetFingerprint: string;
  /** Size of its vocabulary. */
  readonly vocabularySize: number;
  /** The vocabulary of the checkpoint that is fine-tuned, or null. */
  readonly initialWords: readonly string[] | null;
}

const NAMES = {
  config: "config.json",
  metrics: "metrics.jsonl",
  steps: "steps.jsonl",
  best: "best.safetensors",
  last: "last.safetensors",
  result: "result.json",
  gallery: "gallery.json",
  notes: "notes.json",
  report: "report.html",
  pth: "lrcn_resnet50_flickr8k.pth",
} as const;

/** Changes with the names of settings. */
const CONFIG_VERSION = 2;
/** What was done before these were settings. */
const FORMER_SETTINGS = { colorManagement: false, alpha: "white", shrinkOnLoad: false };

const schema = z.object({
  recipe: z.looseObject({ name: z.enum(RECIPE_NAMES) }).transform(({ name, ...settings }) =>
    makeRecipe(name, { ...FORMER_SETTINGS, ...settings })
  ),
  seed: z.int().nonnegative(),
  device: z.enum(["cpu", "cuda"]),
  precision: z.enum(["fp32", "fp32-strict", "bf16", "fp64"]),
  threads: z.int().nonnegative(),
  encoderWeights: z.string().nullable(),
  initialWeights: z.string().nullable().default(null),
  dataset: z.object({
    data: z.string().optional(),
    captions: z.union([z.string(), z.array(z.string())]).optional(),
    images: z.string().optional(),
    splits: z.string().optional(),
    format: z.enum(FORMAT_NAMES).optional(),
    strict: z.boolean().optional(),
    maxImages: z.int().positive().optional(),
    maxPixels: z.int().positive().optional(),
  }).nullable(),
  datasetFingerprint: z.string(),
  vocabularySize: z.int().positive(),
  initialWords: z.array(z.string()).nullable().default(null),
});

const metricsSchema = z.looseObject({ epoch: z.int().positive() });

/** Far more than a run of a million epochs writes. */
const MAX_TEXT_BYTES = 512 * 2 ** 20;
/**
 * Reads the `config.json` of a run.
 *
 * @param failure Begins error messages: "Cannot resume 'runs/first'".
 * @throws {InputError} If it cannot be read, or is not a run's.
 */
export async function readRunConfig(path: string, failure: string): Promise<RunConfig> {
  const name = basename(path);
  let text: string;
  try {
    text = await readRegularText(path, MAX_TEXT_BYTES);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const reason = fileErrorReason(error);
    throw new InputError(`${failure}: '${name}' cannot be read (${reason}); give the folder of a run`, {
      cause: error,
    });
  }
  const content = parseJson(text);
  if (isOfOtherVersion(content)) {
    throw new InputError(`${failure}: another version of lrcn wrote this run; train again`);
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(`${failure}: in '${name}' the field '${issue?.path.join(".")}' is wrong, ${issue?.message}`);
}

/** The folder of a run. */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The path of one of its files. */
  file(name: keyof typeof NAMES): string {
    return join(this.path, NAMES[name]);
  }

  /**
   * Creates the folder of a new run, with its `config.json`.
   *
   * @returns Removes both again, the folder only if it was created here.
   * @throws {InputError} If the folder holds a run, or cannot be made or written into.
   */
  async create(config: RunConfig): Promise<AsyncDisposableStack> {
    const { path } = this;
    if (await this.#has("config")) throw this.#taken();
    const made = !await exists(path, path);
    try {
      await Deno.mkdir(path, { recursive: true });
    } catch (error) {
      throw folderError("create", path, error);
    }
    await using undo = new AsyncDisposableStack();
    // Does not remove a folder that is not empty.
    if (made) undo.defer(() => Deno.remove(path).catch(() => {}));
    await this.#writeFirst(`${JSON.stringify({ version: CONFIG_VERSION, ...config }, null, 2)}\n`);
    undo.defer(() => Deno.remove(this.file("config")).catch(() => {}));
    return undo.move();
  }

  /** Whether the folder holds a run. */
  async hasBegun(): Promise<boolean> {
    return await this.#has("config");
  }

  /** Whether there is a checkpoint to resume from. */
  async hasLast(): Promise<boolean> {
    return await this.#has("last");
  }

  /**
   * Keeps other processes from training into this folder. A killed process loses the lock.
   *
   * @returns The lock; dispose it when the run ends.
   * @throws {InputError} If another process trains in it.
   */
  async lock(): Promise<Disposable> {
    // A network file system may lock only files that are open for writing, or have no locks.
    const file = await openRegular(this.file("config"), { read: true, write: true }).catch((error) => {
      throw folderError("lock", this.path, error);
    });
    if (await file.tryLock(true).catch(() => true)) return file;
    file.close();
    throw new InputError(
      `Cannot train into '${this.path}': another process trains into it now; wait for it to end or stop it`,
    );
  }

  /** Removes files that a killed process left half-written. */
  async sweep(): Promise<void> {
    await removeStaleTemporaries(this.path, Object.values(NAMES));
  }

  /**
   * Reads `config.json`.
   *
   * @throws {InputError} If there is none, or it is not a run's.
   */
  async readConfig(): Promise<RunConfig> {
    return await readRunConfig(this.file("config"), `Cannot resume '${this.path}'`);
  }

  /**
   * Writes the lines of `metrics.jsonl`.
   *
   * @throws {InputError} If they cannot be written.
   */
  async writeMetrics(lines: readonly string[]): Promise<void> {
    await this.writeText("metrics", lines.map((line) => `${line}\n`).join(""));
  }

  /**
   * The lines of `metrics.jsonl` of the first epochs; none if there is no such file. Lines of later epochs, which were
   * written before the last checkpoint, may be damaged.
   *
   * @throws {InputError} If it cannot be read, or a line is not that of an epoch.
   */
  async readMetrics(epochs: number): Promise<string[]> {
    if (!await this.#has("metrics")) return [];
    const text = await readRegularText(this.file("metrics"), MAX_TEXT_BYTES).catch((error) => {
      throw this.#cannotResume(`'${NAMES.metrics}' cannot be read (${fileErrorReason(error)}); remove it`, error);
    });
    const lines = text.split("\n").filter((line) => line !== "").slice(0, epochs);
    let last = 0;
    for (const [index, line] of lines.entries()) {
      const { data } = metricsSchema.safeParse(parseJson(line));
      if (data === undefined || data.epoch <= last) {
        throw this.#cannotResume(
          `line ${index + 1} of '${NAMES.metrics}' is not an epoch's; correct or remove the file`,
        );
      }
      last = data.epoch;
      if (last > epochs) return lines.slice(0, index);
    }
    return lines;
  }

  /** Writes `config.json` if there is none; of two processes that start at once, one finds the other's. */
  async #writeFirst(text: string): Promise<void> {
    try {
      await writeAtomic(this.file("config"), [new TextEncoder().encode(text)], { onlyNew: true });
    } catch (error) {
      throw error instanceof InputError && error.cause instanceof Deno.errors.AlreadyExists ? this.#taken() : error;
    }
  }

  #cannotResume(reason: string, cause?: unknown): unknown {
    if (cause instanceof Deno.errors.NotCapable) return cause;
    return new InputError(`Cannot resume '${this.path}': ${reason}`, { cause });
  }

  #taken(): InputError {
    const { path } = this;
    return new InputError(
      `Cannot train into '${path}': it holds a run already; resume it by --resume '${path}', or choose another ` +
        "folder by --out",
    );
  }

  #has(name: keyof typeof NAMES): Promise<boolean> {
    return exists(this.file(name), this.path);
  }

  /**
   * Writes a file of text.
   *
   * @throws {InputError} If it cannot be written.
   */
  async writeText(name: keyof typeof NAMES, text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    await writeAtomic(this.file(name), [bytes], { size: bytes.length });
  }
}

function isOfOtherVersion(content: unknown): boolean {
  if (typeof content !== "object" || content === null) return false;
  return !("version" in content) || content.version !== CONFIG_VERSION;
}

/** Whether a path exists, in a run's folder or the folder itself. */
async function exists(path: string, folder: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw folderError("use", folder, error);
  }
}

function folderError(action: string, path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotCapable) return error;
  const reason = fileErrorReason(error);
  return new InputError(`Cannot ${action} the folder '${path}': ${reason}; choose another by --out`, { cause: error });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
