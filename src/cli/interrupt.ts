/**
 * Ctrl-C: once to end in good order, twice to end at once.
 *
 * @module
 */

/** One press can arrive twice, from the terminal and passed on by deno task; the second comes within milliseconds. */
const SAME_PRESS_MS = 300;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Listens to Ctrl-C and SIGTERM until it is disposed. The first press acknowledges itself and aborts the signal. Then the
 * listening ends, so that the system ends the process at a second one: an exit of our own would take libtorch's memory
 * away under the step that is running.
 *
 * @param message What the first press is answered.
 * @returns The signal, and what ends the listening.
 */
export function listenToInterrupts(
  message = "Stopping after this step",
): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function press(): void {
    if (controller.signal.aborted) return;
    console.error(`\n${message}; press Ctrl-C again to end at once`);
    controller.abort();
    timer = setTimeout(stopListening, SAME_PRESS_MS);
  }

  function stopListening(): void {
    clearTimeout(timer);
    for (const name of SIGNALS) Deno.removeSignalListener(name, press);
  }

  for (const name of SIGNALS) Deno.addSignalListener(name, press);
  return { signal: controller.signal, [Symbol.dispose]: stopListening };
}
