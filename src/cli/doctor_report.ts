import { describeBytes } from "../files/free_space.ts";
import type { CaptionsExamination } from "../doctor/examine_captions.ts";
import type { Examination } from "../doctor/examine.ts";
import type { SpeedExamination } from "../doctor/time_steps.ts";
import { duration } from "./progress_reporter.ts";

const SHOWN = 10;
const BAR = 40;
/** Rows of the histogram of caption lengths; lengths are grouped to fit. */
const ROWS = 10;

/** Formats what doctor found as lines for a person. */
export function describeExamination(examination: Examination): string[] {
  const { data, splits, captions, images, space, compute, speed, warnings, errors } = examination;
  const facts: [string, string][] = [];
  if (data !== undefined) {
    facts.push(["format", data.format]);
    facts.push([
      "dataset",
      `${data.images} images with ${data.captions} captions, ${data.missing.length} images missing, ` +
      `${data.rejected.length} unusable rows`,
    ]);
    if (data.files !== undefined) facts.push(["captions", data.files]);
    if (data.renamed !== undefined) facts.push(["names", data.renamed]);
  }
  if (images !== undefined) {
    const { groups, acrossSplits } = images.duplicates;
    facts.push(["images", `${images.usable} usable, ${images.broken.length} broken`], [
      "duplicates",
      `${groups.length} groups of identical images, ${acrossSplits} of them in several splits`,
    ]);
  }
  if (splits !== undefined) {
    const { kind, source, unit, train, validation, test, inTwoSplits } = splits;
    facts.push([
      `${kind} split`,
      `${unit}: ${train} train, ${validation} validation, ${test} test; ${inTwoSplits.length} images in two splits`,
    ]);
    if (source !== undefined) facts.push(["split", source]);
  }
  if (captions !== undefined) {
    const { unknownFractions: { validation, test } } = captions;
    facts.push([
      "words",
      `${captions.vocabulary} in the vocabulary, ${captions.skippedWords} too rare; ` +
      `unknown: ${percent(validation)} in validation, ${percent(test)} in test`,
    ]);
  }
  if (space !== undefined) {
    const { images, features, cacheFree, checkpoints, runFree } = space;
    const kept = [
      ...(images > 0 ? [`${describeBytes(images)} of decoded images`] : []),
      ...(features > 0 ? [`${describeBytes(features)} of features`] : []),
    ].join(" and ");
    facts.push(
      ["cache", `${kept === "" ? "nothing" : kept}; ${free(cacheFree)}`],
      ["checkpoints", `${describeBytes(checkpoints)}; ${free(runFree)}`],
    );
  }
  if (compute !== undefined) {
    const { device, precision, threads, peakMemory, memoryLeft } = compute;
    facts.push(
      ["device", `${device}, ${precision}, ${threads} threads`],
      ["memory", `peak ${describeBytes(peakMemory)}; ${free(memoryLeft)}`],
    );
  }
  if (speed !== undefined) facts.push(...speedFacts(speed));

  const width = Math.max(0, ...facts.map(([name]) => name.length));
  const lines = facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  if (captions !== undefined) lines.push("", ...histogram(captions));
  lines.push(
    ...listed("broken images", images?.broken.map(({ path, reason }) => `${path}: ${reason}`)),
  );
  lines.push(...listed("unusable rows", data?.rejected));
  lines.push(...listed("missing images", data?.missing));
  lines.push(...listed("identical images", images?.duplicates.groups.map((names) => names.join(" = "))));
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
    stage === "frozen" ? "CNN frozen" : "CNN trained",
    `${epochs} epochs of ${duration(epochSeconds)}, ${
      Math.round(captionsPerSecond)
    } captions/s (${measuredSteps} steps)`,
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
  return ["", title, ...items.slice(0, SHOWN).map((item) => `  ${item}`), ...more];
}

function free(bytes: number | undefined): string {
  return bytes === undefined ? "free space unknown" : `${describeBytes(bytes)} free`;
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)}%`;
}
