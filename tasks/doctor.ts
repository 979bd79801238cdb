import { EXIT_INPUT, runTask, userPath } from "../src/cli/command.ts";
import { doctorCommand } from "../src/cli/commands/doctor.ts";
import { ExaminationPrinter } from "../src/cli/doctor_report.ts";
import { refuseFrozenRandomEncoder } from "../src/pipeline/dry_run.ts";
import { chooseLocalWeights } from "../src/pipeline/encoder_weights_choice.ts";
import { listenToInterrupts } from "../src/cli/interrupt.ts";
import { terminalReporter } from "../src/cli/terminal_reporter.ts";
import { parseTrainOptions } from "../src/cli/train_options.ts";
import { InputError } from "../src/input_error.ts";
import { type Examination, examine, type Findings } from "../src/doctor/examine.ts";
import { idleSettings } from "../src/pipeline/recipe.ts";
import { readSource } from "../src/pipeline/file_source.ts";
import { join } from "node:path";
import { printLine } from "../src/cli/output.ts";

async function examineWith(
  given: Readonly<Record<string, unknown>>,
  onFound: (found: Findings) => void,
): Promise<Examination> {
  for (const [name, option] of [["resume", "--resume"], ["selfCritical", "--self-critical"]] as const) {
    if (given[name] !== undefined) {
      throw new InputError(`Cannot check a run: leave out ${option}, and give --data PATH`);
    }
  }
  const options = await parseTrainOptions(given, { now: new Date(), path: userPath });
  const { dataset, seed, cache, keepImages } = options;
  if (dataset === null) throw new InputError("Cannot check a dataset: no data is named; give --data PATH");
  const folder = join(cache, "weights");
  const errors: string[] = [];
  // Whatever is wrong with the weights, the data can be checked.
  const weights = await chooseLocalWeights(options.encoderWeights, { folder, recipe: options.recipe })
    .catch((error) => {
      errors.push(messageOf(error));
      return { file: undefined, pretrained: true, notes: [] };
    });
  const recipe = weights.pretrained ? options.pretrainedRecipe : options.recipe;
  try {
    refuseFrozenRandomEncoder(recipe, weights.pretrained || options.initialWeights !== undefined);
  } catch (error) {
    errors.push(messageOf(error));
  }

  using interrupts = listenToInterrupts();
  const { signal } = interrupts;
  using reporter = terminalReporter();
  const found = await examine({
    ...options,
    recipe,
    reporter,
    onFound,
    signal,
    now: () => performance.now(),
    encoderWeights: weights.file,
    openSource: () => readSource({ ...dataset, seed, cacheFolder: join(cache, "images"), keepImages }),
    memoryLeft: () => Deno.systemMemoryInfo().available,
  });
  const warnings = [...idleSettings(recipe, options.givenSettings), ...weights.notes, ...found.warnings];
  return { ...found, warnings, errors: [...errors, ...found.errors] };
}

function messageOf(error: unknown): string {
  if (error instanceof InputError) return error.message;
  throw error;
}

async function main(): Promise<number> {
  const command = doctorCommand();
  command.parse(Deno.args, { from: "user" });
  const { json = false, ...given } = command.opts<{ json?: boolean }>();
  const printer = new ExaminationPrinter(printLine);
  const found = await examineWith(given, (found) => json || printer.add(found)).catch((error: unknown): Examination => {
    // With --json, errors in the options belong to the document as well.
    if (!json || !(error instanceof InputError)) throw error;
    return { warnings: [], errors: [error.message] };
  });
  if (json) printLine(JSON.stringify(found, null, 2));
  else printer.end(found);
  return found.errors.length === 0 ? 0 : EXIT_INPUT;
}

Deno.exit(await runTask(main));
