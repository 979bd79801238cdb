/** One Ctrl-C can arrive twice within milliseconds: from the terminal, and forwarded by deno task. */
const SAME_PRESS_MS = 300;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Listens for Ctrl-C and SIGTERM until it is disposed. The first one prints `message`, unless it is null, and aborts the
 * signal. Then it stops listening, so that a second one terminates the process: `Deno.exit()` would free libtorch's memory
 * under the running step.
 */
export function listenToInterrupts(
  message: string | null = "Stopping after this step",
): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function press(): void {
    if (controller.signal.aborted) return;
    if (message !== null) console.error(`\n${message}; press Ctrl-C again to quit at once`);
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
