import { printNote } from "./output.ts";

/** One Ctrl-C can arrive twice within milliseconds: from the terminal, and forwarded by deno task. */
const SAME_PRESS_MS = 300;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Options of {@linkcode listenToInterrupts}. */
export interface ListenToInterruptsOptions {
  /**
   * The id of the process whose end interrupts this one too; 0 for none.
   *
   * @default {that of deno task or npx, if one of them started this process}
   */
  readonly parent?: () => number;
  /**
   * Milliseconds between looks at the parent.
   *
   * @default {1000}
   */
  readonly parentInterval?: number;
}

/**
 * Listens until it is disposed for Ctrl-C, SIGTERM, SIGHUP (the terminal was closed), and the end of the parent process: if
 * deno task or npx is killed, it cannot pass the signal on. The first one prints `message`, unless it is null, and aborts
 * the signal. Then it stops listening, so that a second one terminates the process: `Deno.exit()` would free libtorch's
 * memory under the running step.
 */
export function listenToInterrupts(
  message: string | null = "Stopping after this step",
  { parent = launcher, parentInterval = 1000 }: ListenToInterruptsOptions = {},
): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function press(): void {
    stop(`${message}; press Ctrl-C again to quit at once`);
  }

  function stop(line: string): void {
    if (controller.signal.aborted) return;
    if (message !== null) printNote(`\n${line}`);
    controller.abort();
    clearInterval(watch);
    timer = setTimeout(stopListening, SAME_PRESS_MS);
  }

  function stopListening(): void {
    clearInterval(watch);
    clearTimeout(timer);
    for (const name of SIGNALS) Deno.removeSignalListener(name, press);
  }

  const first = parent();
  // No signal says that a parent has ended: the process has another one from then on.
  const watch = first === 0 ? undefined : setInterval(() => {
    if (parent() !== first) stop(`${message}: the process that started this one has ended`);
  }, parentInterval);
  for (const name of SIGNALS) Deno.addSignalListener(name, press);
  return { signal: controller.signal, [Symbol.dispose]: stopListening };
}

/** The parent process if it waits for this one, as those do that set INIT_CWD; a shell may end before its jobs. */
function launcher(): number {
  return Deno.env.has("INIT_CWD") ? Deno.ppid : 0;
}
