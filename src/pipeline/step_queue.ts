/**
 * Training steps whose numbers are read a few steps later.
 *
 * @module
 */

import type { Batch, StepResult } from "../ffi/batch.ts";
import type { Engine } from "../ffi/engine.ts";
import type { TrainStepOptions } from "../ffi/settings.ts";

/**
 * Runs training steps and reads their numbers every few steps: a GPU must have done all that it was given before it
 * gives one, and stands still until it is given more.
 *
 * @typeParam Note What is remembered of a step until its numbers are there.
 */
export class StepQueue<Note> {
  readonly #engine: Pick<Engine, "trainStep" | "queueStep" | "stepResults">;
  readonly #every: number;
  #notes: Note[] = [];

  /**
   * @param engine What computes them.
   * @param every Steps from one reading to the next; 1 reads after each.
   */
  constructor(engine: Pick<Engine, "trainStep" | "queueStep" | "stepResults">, every: number) {
    this.#engine = engine;
    this.#every = every;
  }

  /**
   * Runs a step.
   *
   * @param batches Its batches.
   * @param options Its settings.
   * @param note What is remembered of it.
   * @returns The steps whose numbers have come, oldest first: none, or all that were run since.
   */
  async run(
    batches: readonly Batch[],
    options: TrainStepOptions,
    note: Note,
  ): Promise<(readonly [StepResult, Note])[]> {
    if (this.#every === 1) return [[await this.#engine.trainStep(batches, options), note]];
    await this.#engine.queueStep(batches, options);
    this.#notes.push(note);
    return this.#notes.length < this.#every ? [] : await this.settle();
  }

  /**
   * Reads what has not been read.
   *
   * @returns The steps, oldest first.
   */
  async settle(): Promise<(readonly [StepResult, Note])[]> {
    if (this.#notes.length === 0) return [];
    const results = await this.#engine.stepResults();
    const notes = this.#notes;
    this.#notes = [];
    return results.flatMap((result, index) => {
      const note = notes[index];
      return note === undefined ? [] : [[result, note] as const];
    });
  }
}
