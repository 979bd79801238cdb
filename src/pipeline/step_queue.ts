import type { Batch, StepResult } from "../ffi/batch.ts";
import type { Engine } from "../ffi/engine.ts";
import type { TrainStepOptions } from "../ffi/settings.ts";

/**
 * Runs training steps and reads their results every few steps: to give a result, a GPU must finish all its work, and idles
 * until it gets more.
 *
 * @typeParam Info What is kept of a step until its result is there.
 */
export class StepQueue<Info> {
  readonly #engine: Pick<Engine, "trainStep" | "queueStep" | "stepResults">;
  readonly #every: number;
  #infos: Info[] = [];

  /** @param every Steps between two reads; 1 reads after each. */
  constructor(engine: Pick<Engine, "trainStep" | "queueStep" | "stepResults">, every: number) {
    this.#engine = engine;
    this.#every = every;
  }

  /**
   * Runs a step.
   *
   * @returns The results of all steps since the last read, oldest first, if they are read now; else none.
   */
  async run(
    batches: readonly Batch[],
    options: TrainStepOptions,
    info: Info,
  ): Promise<(readonly [StepResult, Info])[]> {
    if (this.#every === 1) return [[await this.#engine.trainStep(batches, options), info]];
    await this.#engine.queueStep(batches, options);
    this.#infos.push(info);
    return this.#infos.length < this.#every ? [] : await this.settle();
  }

  /** Reads the results that are left, oldest first. */
  async settle(): Promise<(readonly [StepResult, Info])[]> {
    if (this.#infos.length === 0) return [];
    const results = await this.#engine.stepResults();
    const infos = this.#infos;
    this.#infos = [];
    return results.flatMap((result, index) => {
      const info = infos[index];
      return info === undefined ? [] : [[result, info] as const];
    });
  }
}
