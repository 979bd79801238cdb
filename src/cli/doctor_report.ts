import { describeBytes } from "../files/free_space.ts";
import type { CaptionsExamination } from "../doctor/examine_captions.ts";
import type {
  ComputeExamination,
  DataExamination,
  Examination,
  Findings,
  ImagesExamination,
  SplitsExamination,
} from "../doctor/examine.ts";
import type { SpaceExamination } from "../doctor/space_needed.ts";
import type { SpeedExamination } from "../doctor/time_steps.ts";
import { duration } from "./progress_reporter.ts";

const SHOWN = 10;
const BAR = 40;
/** Rows of the histogram of caption lengths; lengths are grouped to fit. */
const ROWS = 10;

/** Wide enough for each name of a fact. */
const WIDTH = 14;

type Fact = readonly [name: string, value: string];

/** Prints what doctor finds as lines for a person, each part when it is found. */
export class ExaminationPrinter {
  readonly #print: (line: string) => void;
  #printed = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Prints the facts that are new. */
  add(found: Findings): void {
    const facts = factsOf(found);
    for (const [name, value] of facts.slice(this.#printed)) this.#print(`${name.padEnd(WIDTH)}  ${value}`);
    this.#printed = facts.length;
  }

  /** Prints the facts that are left, lists, warnings and errors. */
  end(examination: Examination): void {
    const { data, splits, captions, images, warnings, errors } = examination;
    this.add(examination);
    if (images === undefined && splits !== undefined) {
      for (const [name, value] of splitFacts(splits)) this.#print(`${name.padEnd(WIDTH)}  ${value}`);
    }
    const blocks = [
      captions === undefined ? [] : histogram(captions),
      listed("broken images", images?.broken.map(({ path, reason }) => `${path}: ${reason}`)),
      listed("unusable rows", data?.rejected),
      listed("missing images", data?.missing),
      listed("identical images", images?.duplicates.groups.map((names) => names.join(" = "))),
      warnings.map((line) => line.startsWith("Warning") ? line : `Warning: ${line}`),
      [
        ...errors.map((line) => `error: ${line}`),
        errors.length === 0 ? "Training can run." : "Training cannot run.",
      ],
    ].filter(({ length }) => length > 0);
    for (const [index, block] of blocks.entries()) {
      if (index > 0 || this.#printed > 0) this.#print("");
      for (const line of block) this.#print(line);
    }
  }
}

/** Formats what doctor found. */
export function describeExamination(examination: Examination): string[] {
  const lines: string[] = [];
  new ExaminationPrinter((line) => lines.push(line)).end(examination);
  return lines;
}

/** The facts in the order in which they are found. */
function factsOf({ data, splits, captions, images, space, compute, speed }: Findings): Fact[] {
  return [
    ...(data === undefined ? [] : dataFacts(data)),
    ...(captions === undefined ? [] : wordFacts(captions)),
    // Broken images change the splits.
    ...(images === undefined ? [] : [...imageFacts(images), ...(splits === undefined ? [] : splitFacts(splits))]),
    ...(space === undefined ? [] : spaceFacts(space)),
    ...(compute === undefined ? [] : computeFacts(compute)),
    ...(speed === undefined ? [] : speedFacts(speed)),
  ];
}

function dataFacts({ format, images, captions, missing, rejected, files, renamed }: DataExamination): Fact[] {
  return [
    ["format", format],
    [
      "dataset",
      `${images} images with ${captions} captions, ${missing.length} images missing, ${rejected.length} unusable rows`,
    ],
    ...(files === undefined ? [] : [["captions", files] as const]),
    ...(renamed === undefined ? [] : [["names", renamed] as const]),
  ];
}

function wordFacts({ vocabulary, skippedWords, unknownFractions: { validation, test } }: CaptionsExamination): Fact[] {
  const unknown = `unknown: ${percent(validation)} in validation, ${percent(test)} in test`;
  return [["words", `${vocabulary} in the vocabulary, ${skippedWords} too rare; ${unknown}`]];
}

function imageFacts({ usable, broken, duplicates: { groups, acrossSplits } }: ImagesExamination): Fact[] {
  return [
    ["images", `${usable} usable, ${broken.length} broken`],
    ["duplicates", `${groups.length} groups of identical images, ${acrossSplits} of them in several splits`],
  ];
}

function splitFacts({ kind, source, unit, train, validation, test, inTwoSplits }: SplitsExamination): Fact[] {
  const counts = `${train} train, ${validation} validation, ${test} test`;
  return [
    [`${kind} split`, `${unit}: ${counts}; ${inTwoSplits.length} images in two splits`],
    ...(source === undefined ? [] : [["split", source] as const]),
  ];
}

function spaceFacts({ images, features, cacheFree, checkpoints, runFree }: SpaceExamination): Fact[] {
  const kept = [
    ...(images > 0 ? [`${describeBytes(images)} of decoded images`] : []),
    ...(features > 0 ? [`${describeBytes(features)} of features`] : []),
  ].join(" and ");
  return [
    ["cache", `${kept === "" ? "nothing" : kept}; ${free(cacheFree)}`],
    ["checkpoints", `${describeBytes(checkpoints)}; ${free(runFree)}`],
  ];
}

function computeFacts({ device, precision, threads, peakMemory, memoryLeft }: ComputeExamination): Fact[] {
  return [
    ["device", `${device}, ${precision}, ${threads} threads`],
    ["memory", `peak ${describeBytes(peakMemory)}; ${free(memoryLeft)}`],
  ];
}

function speedFacts({ stages, featuresSeconds, totalSeconds }: SpeedExamination): Fact[] {
  const facts = stages.map(({ stage, epochs, captionsPerSecond, epochSeconds, measuredSteps }): Fact => [
    stage === "frozen" ? "CNN frozen" : "CNN trained",
    `${epochs} epochs of ${duration(epochSeconds)}, ${
      captionsPerSecond.toFixed(captionsPerSecond < 10 ? 1 : 0)
    } captions/s (measured: ${measuredSteps} step${measuredSteps === 1 ? "" : "s"})`,
  ]);
  if (featuresSeconds > 0) facts.push(["features", `${duration(featuresSeconds)}, once`]);
  return [...facts, ["all epochs", `at most ${duration(totalSeconds)}, without validation`]];
}

function histogram({ lengths, medianLength }: CaptionsExamination): string[] {
  const counts = Object.entries(lengths).map(([length, count]) => ({ length: Number(length), count }));
  const longest = Math.max(0, ...counts.map(({ length }) => length));
  const step = Math.max(1, Math.ceil((longest + 1) / ROWS));
  const rows = Array.from({ length: Math.ceil((longest + 1) / step) }, (_, row) => {
    const [from, to] = [row * step, Math.min(longest, (row + 1) * step - 1)];
    const count = counts.filter(({ length }) => length >= from && length <= to).reduce(
      (sum, { count }) => sum + count,
      0,
    );
    return { name: from === to ? `${from}` : `${from}-${to}`, count };
  });
  const most = Math.max(1, ...rows.map(({ count }) => count));
  const width = Math.max(...rows.map(({ name }) => name.length));
  return [
    `caption length in words (median ${medianLength}, maximum ${longest})`,
    ...rows.map(({ name, count }) => {
      const bar = "#".repeat(count === 0 ? 0 : Math.max(1, Math.round(BAR * count / most)));
      return `  ${name.padStart(width)}  ${bar.padEnd(BAR)}  ${count}`;
    }),
  ];
}

function listed(title: string, items: readonly string[] = []): string[] {
  if (items.length === 0) return [];
  const more = items.length > SHOWN ? [`  and ${items.length - SHOWN} more (--json lists all)`] : [];
  return [title, ...items.slice(0, SHOWN).map((item) => `  ${item}`), ...more];
}

function free(bytes: number | undefined): string {
  return bytes === undefined ? "free space unknown" : `${describeBytes(bytes)} free`;
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)}%`;
}
