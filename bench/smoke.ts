/**
 * What shows in a minute that all that is measured still runs: `deno task bench --smoke`.
 *
 * @module
 */

import { join } from "node:path";
import type { Recipe } from "../src/pipeline/recipe.ts";
import { outputOf, PROJECT } from "./task_command.ts";

/** Settings of a model that takes a step in no time. */
export const SMALL_MODEL = {
  ...{ encoderWidth: 8, encoderBlocks: [1, 1, 1, 1], imageSize: 32, embedSize: 16, hiddenSize: 16, minVocabulary: 0 },
} satisfies Partial<Recipe>;

/** Flickr8k's files with two captions of two images, and three grades of each. */
const EXPERTS = {
  "Flickr8k.token.txt": "1.jpg#0\tA dog runs .\n1.jpg#1\tA dog .\n2.jpg#0\tA red boat .\n2.jpg#1\tA boat sails .\n",
  "ExpertAnnotations.txt": "1.jpg\t2.jpg#0\t1\t1\t2\n2.jpg\t1.jpg#0\t1\t2\t1\n2.jpg\t1.jpg#1\t2\t1\t1\n",
};

/**
 * Runs the scripts that measure one thing each, as their first lines say. `precision.ts` is not among them: it draws scenes
 * for longer than all of this takes, and many processors have no bfloat16.
 *
 * @param work A folder for their files.
 */
export async function runScripts(work: string): Promise<void> {
  for (const [name, text] of Object.entries(EXPERTS)) await Deno.writeTextFile(join(work, name), text);
  const scripts = {
    "expert_correlation.ts": work,
    ...{ "ranks.ts": "--smoke", "read_captions.ts": "--smoke", "score_captions.ts": "--smoke" },
    ...{ "steady_state.ts": "--smoke", "soak.ts": "--smoke" },
  };
  for (const [name, argument] of Object.entries(scripts)) {
    const text = await Deno.readTextFile(join(PROJECT, "bench", name));
    const [, command] = text.match(/^ \*.* deno (run .+\.ts)/m) ?? [];
    if (command === undefined) throw new Error(`bench/${name} does not say how it is run`);
    await outputOf(Deno.execPath(), [...command.split(" "), argument]);
    console.error(`ran: bench/${name}`);
  }
}
