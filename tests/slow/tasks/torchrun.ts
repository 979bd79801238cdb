import { join } from "node:path";
import { PROJECT } from "../../support/run_task.ts";

/** How to start torchrun. */
export interface Torchrun {
  /** The program and its first arguments. */
  readonly command: readonly string[];
  /** Environment variables that it needs. */
  readonly env: Readonly<Record<string, string>>;
}

/** Finds torchrun in `native/.libtorch`, or in a Python that has PyTorch. */
export async function findTorchrun(): Promise<Torchrun | undefined> {
  const command = ["python3", "-m", "torch.distributed.run"];
  const installed = join(PROJECT, "native", ".libtorch");
  for (const env of [{ PYTHONPATH: installed }, {}] as readonly Readonly<Record<string, string>>[]) {
    const [program = "", ...args] = [...command, "--help"];
    const started = await new Deno.Command(program, { args, env, stdout: "null", stderr: "null" }).output()
      .catch(() => undefined);
    if (started?.success) return { command, env };
  }
  return undefined;
}
