/**
 * Ctrl-C: once to end in good order, twice to end at once.
 *
 * @module
 */

/** One press can arrive twice, from the terminal and passed on by deno task; the second comes within milliseconds. */
const SAME_PRESS_MS = 300;

/** What {@linkcode InterruptPresses} does. */
export interface InterruptActions {
  /** At the first press. */
  readonly stop: () => void;
  /** At the second. */
  readonly end: () => void;
}

/** Tells presses of Ctrl-C apart. */
export class InterruptPresses {
  readonly #actions: InterruptActions;
  #last: number | undefined;

  /** @param actions What the presses do. */
  constructor(actions: InterruptActions) {
    this.#actions = actions;
  }

  /** A signal has come, at a time in milliseconds. */
  press(time: number): void {
    const first = this.#last === undefined;
    if (this.#last !== undefined && time - this.#last < SAME_PRESS_MS) return;
    this.#last = time;
    if (first) this.#actions.stop();
    else this.#actions.end();
  }
}

/**
 * Listens to Ctrl-C and SIGTERM until it is disposed. The first acknowledges itself and aborts the signal, the second ends
 * the process.
 *
 * @returns The signal, and what ends the listening.
 */
export function listenToInterrupts(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const presses = new InterruptPresses({
    stop() {
      console.error("\nStopping after this step; press Ctrl-C again to end at once");
      controller.abort();
    },
    end: () => Deno.exit(130),
  });
  const listener = () => presses.press(performance.now());
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const name of signals) Deno.addSignalListener(name, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of signals) Deno.removeSignalListener(name, listener);
    },
  };
}
