/**
 * What `deno task doctor` found, in words.
 *
 * @module
 */

import { describeBytes } from "../files/free_space.ts";
import type { CaptionsExamination } from "../doctor/examine_captions.ts";
import type { Examination } from "../doctor/examine.ts";
import type { SpeedExamination } from "../doctor/time_steps.ts";
import { duration } from "./progress_reporter.ts";

const SHOWN = 10;
const BAR = 40;
/** Rows of the histogram of lengths; lengths are put together to make so few. */
const ROWS = 10;

/**
 * Describes an examination.
 *
 * @param examination What was found.
 * @returns Lines for a person.
 */
export function describeExamination(examination: Examination): string[] {
  const { data, splits, captions, images, space, compute, speed, warnings, errors } = examination;
  const facts: [string, string][] = [];
  if (data !== undefined) {
    facts.push(["format", data.format], [
      "dataset",
      `${data.images} images with ${data.captions} captions, ${data.missing.length} missing, ` +
      `${data.rejected.length} rows that cannot be used`,
    ]);
  }
  if (images !== undefined) {
    const { groups, acrossSplits } = images.duplicates;
    facts.push(["images", `${images.usable} can be decoded, ${images.broken.length} cannot`], [
      "duplicates",
      `${groups.length} groups with the same bytes, ${acrossSplits} of them in several splits`,
    ]);
  }
  if (splits !== undefined) {
    const { kind, unit, train, validation, test, inTwoSplits } = splits;
    facts.push([
      `${kind} split`,
      `${unit} in train ${train}, validation ${validation}, test ${test}; images in two splits ${inTwoSplits.length}`,
    ]);
  }
  if (captions !== undefined) {
    const { unknownFractions: { validation, test } } = captions;
    facts.push([
      "words",
      `${captions.vocabulary} in the vocabulary, ${captions.skippedWords} too rare for it; ` +
      `unknown in validation ${percent(validation)}, in test ${percent(test)}`,
    ]);
  }
  if (space !== undefined) {
    const { images, features, cacheFree, checkpoints, runFree } = space;
    const kept = [
      ...(images > 0 ? [`${describeBytes(images)} of decoded images`] : []),
      ...(features > 0 ? [`${describeBytes(features)} of features`] : []),
    ].join(" and ");
    facts.push(
      ["cache", `${kept === "" ? "nothing is kept" : kept}; ${left(cacheFree)}`],
      ["checkpoints", `${describeBytes(checkpoints)}; ${left(runFree)}`],
    );
  }
  if (compute !== undefined) {
    const { device, precision, threads, peakMemory, memoryLeft } = compute;
    facts.push(
      ["device", `${device} in ${precision}, ${threads} threads`],
      ["memory", `${describeBytes(peakMemory)} at the most; ${left(memoryLeft)}`],
    );
  }
  if (speed !== undefined) facts.push(...speedFacts(speed));

  const width = Math.max(0, ...facts.map(([name]) => name.length));
  const lines = facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  if (captions !== undefined) lines.push("", ...histogram(captions));
  lines.push(
    ...listed("images that cannot be decoded", images?.broken.map(({ path, reason }) => `${path}: ${reason}`)),
  );
  lines.push(...listed("rows that cannot be used", data?.rejected));
  lines.push(...listed("images that are not there", data?.missing));
  lines.push(...listed("images with the same bytes", images?.duplicates.groups.map((names) => names.join(" = "))));
  if (warnings.length > 0) {
    lines.push(
      "",
      ...warnings.map((line) => line.startsWith("Warning") ? line : `Warning: ${line}`),
    );
  }
  lines.push("", ...errors.map((line) => `error: ${line}`));
  lines.push(errors.length === 0 ? "Training can run." : "Training cannot run.");
  return lines[0] === "" ? lines.slice(1) : lines;
}

function speedFacts({ measuredSteps, stages, featuresSeconds, totalSeconds }: SpeedExamination): [string, string][] {
  const facts = stages.map(({ stage, epochs, captionsPerSecond, epochSeconds }): [string, string] => [
    stage === "frozen" ? "CNN frozen" : "CNN learns",
    `${epochs} epochs of ${duration(epochSeconds)}, ${
      Math.round(captionsPerSecond)
    } captions/s (${measuredSteps} steps)`,
  ]);
  if (featuresSeconds > 0) facts.push(["features", `${duration(featuresSeconds)}, once`]);
  return [...facts, ["all epochs", `${duration(totalSeconds)} at the most, validation not counted`]];
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
    `words of a caption (middle ${medianLength}, most ${longest})`,
    ...rows.map(({ name, count }) => {
      const bar = "#".repeat(count === 0 ? 0 : Math.max(1, Math.round(BAR * count / most)));
      return `  ${name.padStart(width)}  ${bar.padEnd(BAR)}  ${count}`;
    }),
  ];
}

function listed(title: string, items: readonly string[] = []): string[] {
  if (items.length === 0) return [];
  const more = items.length > SHOWN ? [`  and ${items.length - SHOWN} more (all of them with --json)`] : [];
  return ["", title, ...items.slice(0, SHOWN).map((item) => `  ${item}`), ...more];
}

function left(bytes: number | undefined): string {
  return bytes === undefined ? "how much is left is not known" : `${describeBytes(bytes)} left`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
