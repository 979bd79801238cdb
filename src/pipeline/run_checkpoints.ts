import { type CheckpointMetadata, saveCheckpoint, type TrainingState } from "../checkpoint/checkpoint.ts";
import { modelTensors } from "../checkpoint/model_state.ts";
import { gatherRandomStates } from "../distributed/broadcast_model.ts";
import type { Engine } from "../ffi/engine.ts";
import { InputError } from "../input_error.ts";
import { type NotedLine, readNotes, type RunNotes } from "../report/reported_run.ts";
import { writeReport } from "../report/write_report.ts";
import { makeGallery } from "./gallery.ts";
import type { EpochMetrics } from "./meter.ts";
import type { Progress } from "./progress.ts";
import type { RunFolder } from "./run_folder.ts";
import type { Checkpoints } from "./train.ts";
import type { TrainingContext } from "./training_context.ts";
import type { Validation } from "./validate.ts";
import type { TrainingReporter } from "./training_reporter.ts";
import { imageIgnoredWarning } from "./image_ignored_warning.ts";

const CHECKPOINT_INTERVAL_MS = 600_000;

/** Options of {@linkcode RunCheckpoints}. */
export interface RunCheckpointsOptions {
  readonly context: TrainingContext;
  readonly engine: Engine;
  readonly folder: RunFolder;
  /** Of the checkpoints, with the metrics of the last completed epoch. */
  readonly metadata: CheckpointMetadata;
  readonly training: Pick<TrainingState, "settings" | "seed" | "examples">;
  readonly from: Progress | undefined;
  readonly reporter: TrainingReporter;
  /** What was printed so far. */
  readonly noted: readonly NotedLine[];
  /** Steps between checkpoints within an epoch, or undefined for every ten minutes. */
  readonly checkpointEvery: number | undefined;
}

/** Keeps a run's files up to date: checkpoints, metrics, report. Rank 0 writes them. */
export class RunCheckpoints implements Checkpoints {
  readonly #options: RunCheckpointsOptions;
  /** Lines of `metrics.jsonl`. */
  readonly #lines: string[];
  /** Notes of the sessions before. */
  readonly #former: RunNotes;
  #metadata: CheckpointMetadata;
  #saved: { readonly at: number; readonly step: number };

  private constructor(options: RunCheckpointsOptions, lines: string[], former: RunNotes) {
    this.#options = options;
    this.#former = former;
    this.#lines = lines;
    this.#metadata = options.metadata;
    this.#saved = { at: performance.now(), step: options.from?.step ?? 0 };
  }

  static async open(options: RunCheckpointsOptions): Promise<RunCheckpoints> {
    const { context: { group }, folder, from } = options;
    const lines = group.rank === 0 ? await folder.readMetrics(from?.validationScores.length ?? 0) : [];
    const former = await readNotes(folder.path);
    return new RunCheckpoints(options, lines, former.started === "" ? { ...former, started: now() } : former);
  }

  isDue(progress: Progress): boolean {
    const { checkpointEvery } = this.#options;
    return checkpointEvery === undefined
      ? performance.now() - this.#saved.at >= CHECKPOINT_INTERVAL_MS
      : progress.step - this.#saved.step >= checkpointEvery;
  }

  /** Saves the model that training starts from as the best so far. */
  async saveStart(validation: Validation): Promise<void> {
    const { context: { group }, engine } = this.#options;
    if (group.rank !== 0) return;
    const tensors = await modelTensors(engine, ["parameter", "buffer"]);
    await this.#save("best", { metadata: { ...this.#metadata, metrics: { ...validation } }, tensors });
    await this.#saveGallery();
  }

  async saveProgress(progress: Progress): Promise<void> {
    const { context: { group }, engine, training } = this.#options;
    const otherRanks = await gatherRandomStates(engine, group);
    this.#metadata = { ...this.#metadata, epoch: progress.validationScores.length };
    if (group.rank === 0) {
      const tensors = await modelTensors(engine, ["parameter", "buffer", "optimizer", "random"]);
      const metadata = { ...this.#metadata, training: { ...training, ...progress } };
      await this.#save("last", { metadata, tensors: [...tensors, ...otherRanks] });
    }
    this.#saved = { at: performance.now(), step: progress.step };
  }

  async saveEpoch(metrics: EpochMetrics, progress: Progress, best: boolean): Promise<void> {
    const { context, engine, folder, reporter } = this.#options;
    const isFirst = context.group.rank === 0;
    const { epoch, trainLoss, validationLoss, mismatchedImageLossGap, distinctFraction, bleu4, cider } = metrics;
    this.#metadata = {
      ...this.#metadata,
      epoch,
      metrics: { trainLoss, validationLoss, mismatchedImageLossGap, distinctFraction, bleu4, cider },
    };
    if (isFirst && best) {
      await this.#save("best", {
        metadata: this.#metadata,
        tensors: await modelTensors(engine, ["parameter", "buffer"]),
      });
    }
    // `last` comes last: a run killed before resumes from an older checkpoint and writes the same again.
    this.#lines.push(JSON.stringify(metrics));
    if (isFirst) await folder.writeMetrics(this.#lines);
    await this.saveProgress(progress);
    reporter.epoch(metrics, best);
    const warning = imageIgnoredWarning(metrics, context);
    if (warning !== undefined) reporter.warn(warning);
    if (isFirst) await this.#report(best);
  }

  /** The lines of this session, after the warnings of the sessions before. */
  #notes(): RunNotes {
    const { noted, from } = this.#options;
    const { started, lines } = this.#former;
    const done = from?.validationScores.length ?? 0;
    const former = lines.filter(({ warning, epochs }) => warning && epochs > 0 && epochs <= done);
    return { started, lines: [...former, ...noted] };
  }

  async #save(name: "last" | "best", checkpoint: Parameters<typeof saveCheckpoint>[1]): Promise<void> {
    const { folder } = this.#options;
    try {
      await saveCheckpoint(folder.file(name), checkpoint);
    } catch (error) {
      if (!(error instanceof InputError) || !await folder.hasLast().catch(() => false)) throw error;
      throw new InputError(`${error.message}; the previous checkpoint is intact, ${resumeHint(folder)}`, {
        cause: error,
      });
    }
  }

  async #saveGallery(): Promise<void> {
    const { context, folder, reporter } = this.#options;
    try {
      await folder.writeText("gallery", JSON.stringify(await makeGallery(context)));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      reporter.warn(`Warning: ${error.message}; training continues without it`);
    }
  }

  async #report(best: boolean): Promise<void> {
    const { folder, reporter } = this.#options;
    if (best) await this.#saveGallery();
    try {
      await folder.writeText("notes", JSON.stringify(this.#notes()));
      await writeReport([folder.path], folder.file("report"));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      reporter.warn(`Warning: ${error.message}; training continues without a report`);
    }
  }
}

function now(): string {
  return new Date().toISOString();
}

/** The command that resumes a run. */
export function resumeHint({ path }: RunFolder): string {
  return `resume with: deno task train --resume '${path}'`;
}
