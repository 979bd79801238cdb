import { dirname } from "node:path";
import { z } from "zod";
import { buildLibrary } from "../src/build/build_library.ts";
import { localMachine } from "../src/build/local_machine.ts";
import { INSTALLED_WEIGHTS } from "../src/checkpoint/imagenet_weights.ts";
import { installWeights } from "../src/checkpoint/install_weights.ts";
import { runTask } from "../src/cli/command.ts";
import { buildCommand } from "../src/cli/commands/build.ts";
import { ENCODER_NAMES, type EncoderName } from "../src/ffi/encoders.ts";
import { InputError } from "../src/input_error.ts";
import { printNote } from "../src/cli/output.ts";

const schema = z.object({
  verbose: z.boolean().default(false),
  sanitize: z.boolean().default(false),
  weights: z.enum(ENCODER_NAMES).optional(),
});

function reasonOf(error: unknown): string {
  if (error instanceof InputError) return `weights: ${error.message}`;
  throw error;
}

async function main(): Promise<number> {
  const command = buildCommand();
  command.parse(Deno.args, { from: "user" });
  const { weights, ...options } = schema.parse(command.opts());
  const root = dirname(import.meta.dirname ?? ".");
  const report = printNote;
  const machine = localMachine();
  const built = await buildLibrary(root, machine, { ...options, report });
  const install = (name: EncoderName) =>
    installWeights(root, machine, name, { ...options, report, folder: INSTALLED_WEIGHTS });
  // The weights that the user asked for are required; without the others there is still a library.
  if (weights !== undefined) await install(weights);
  if (built) await install("efficientnet-lite2").catch((error) => report(reasonOf(error)));
  return 0;
}

Deno.exit(await runTask(main));
