/**
 * How far the scores agree with people: Kendall's tau between the scores of Flickr8k's candidate captions and the grades
 * that three experts gave each of them. Candidates that are one of their image's own references are skipped, as the field
 * does (Hessel et al. 2021), and each expert's grade is compared on its own.
 *
 *     deno run --allow-read bench/expert_correlation.ts path/to/Flickr8k_text
 *
 * @module
 */

import { join } from "node:path";
import { kendallTau } from "./kendall_tau.ts";
import { scoreCaptions, type ScoredCaption, type Scores, tokenizeCaptions } from "../src/evaluation/score_captions.ts";

const NAMES = ["Bleu_1", "Bleu_4", "ROUGE_L", "CIDEr"] as const satisfies (keyof Scores)[];

interface Judged extends ScoredCaption {
  /** What the experts gave, 1 to 4. */
  readonly grades: readonly number[];
}

async function readRows(path: string): Promise<string[][]> {
  const text = await Deno.readTextFile(path);
  return text.split("\n").filter((line) => line !== "").map((line) => line.split("\t"));
}

async function readJudged(folder: string): Promise<Judged[]> {
  const captions = new Map<string, string>();
  const references = new Map<string, string[]>();
  for (const [id = "", caption = ""] of await readRows(join(folder, "Flickr8k.token.txt"))) {
    captions.set(id, caption);
    const [image = ""] = id.split("#");
    references.set(image, [...references.get(image) ?? [], caption]);
  }
  const judged = [];
  for (const [image = "", id = "", ...grades] of await readRows(join(folder, "ExpertAnnotations.txt"))) {
    const [caption, own] = [captions.get(id), references.get(image)];
    if (caption === undefined || own === undefined) throw new Error(`There is no caption ${id} or image ${image}`);
    if (!id.startsWith(`${image}#`)) {
      judged.push({ image, caption, references: own, grades: grades.map(Number) });
    }
  }
  return judged;
}

async function main(): Promise<number> {
  const [folder] = Deno.args;
  if (folder === undefined) {
    console.error("Name the folder of Flickr8k.token.txt and ExpertAnnotations.txt");
    return 1;
  }
  const judged = await readJudged(folder);
  const grades = judged.flatMap(({ grades }) => grades);
  console.log(`${judged.length} captions, ${grades.length} grades`);
  const { captions } = scoreCaptions(tokenizeCaptions(judged));
  console.log("score     tau-b   tau-c");
  for (const name of NAMES) {
    const scores = judged.flatMap((each, index) => each.grades.map(() => captions[index]?.[name] ?? NaN));
    const { b, c } = kendallTau(grades, scores);
    console.log(`${name.padEnd(8)}  ${b.toFixed(3)}   ${c.toFixed(3)}`);
  }
  return 0;
}

Deno.exit(await main());
