import assert from "node:assert/strict";
import { duration, ProgressReporter } from "../../src/cli/progress_reporter.ts";
import type { StepReport } from "../../src/pipeline/meter.ts";

/** A reporter of a run of 2 epochs, its lines, and its clock. */
function reporterOf(terminal = false, quiet = false) {
  const lines: string[] = [];
  const clock = { time: 0 };
  const reporter = new ProgressReporter({
    epochs: 2,
    terminal,
    quiet,
    print: (line) => lines.push(line),
    now: () => clock.time,
  });
  return { reporter, lines, clock };
}

const METRICS = {
  epoch: 1,
  trainLoss: 2.34567,
  validationLoss: 2.5,
  mismatchedImageLossGap: 0.123,
  distinctFraction: 0.456,
  bleu4: 0.0789,
  cider: 0.789,
  validationSeconds: 1,
  seconds: 75.2,
  captionsPerSecond: 123.4,
  imagesPerSecond: 24.7,
  dataWaitFraction: 0.02,
  learningRate: 1e-3,
  encoderLearningRate: 1e-4,
  gradientNorm: 1,
};

const STEP: StepReport = {
  epoch: 1,
  stageEnd: 2,
  step: 1,
  steps: 100,
  loss: 3.14159,
  stepLoss: 3,
  learningRate: 1e-3,
  encoderLearningRate: 1e-3,
  gradientNorm: 2.345,
  captionsPerSecond: 12.345,
  dataWaitFraction: 0.071,
};

Deno.test("ProgressReporter prints four plain lines an epoch without a terminal", () => {
  const { reporter, lines, clock } = reporterOf();
  const steps = 100;
  for (let step = 1; step <= steps; step++) {
    clock.time = step * 1000;
    reporter.step({ ...STEP, step, steps });
  }
  assert.equal(lines.length, 4);
  // 24 steps took 24 seconds, 175 remain.
  assert.equal(
    lines[0],
    "Epoch 1/2: 25/100, loss 3.142, learning rate 1.0e-3, gradient norm 2.35, 12.3 captions/s, 2 min 55 s left, " +
      "waiting for data 7%",
  );
  assert.match(lines[3] ?? "", /^Epoch 1\/2: 100\/100, .* 1 min 40 s left/);
});

Deno.test("ProgressReporter prints the encoder's learning rate if it differs, and the time left of a resumed run", () => {
  const { reporter, lines, clock } = reporterOf();
  const steps = 4;
  for (const step of [3, 4]) {
    clock.time = step * 1000;
    reporter.step({ ...STEP, epoch: 2, step, steps, encoderLearningRate: 1e-5 });
  }
  assert.match(
    lines[0] ?? "",
    /learning rate 1\.0e-3 \(encoder 1\.0e-5\), gradient norm 2\.35, 12\.3 captions\/s, waiting/,
  );
  assert.match(lines[1] ?? "", /captions\/s, 0 s left, /);
});

Deno.test("ProgressReporter estimates the time until fine-tuning starts, then until the end", () => {
  const { reporter, lines, clock } = reporterOf();
  for (const [epoch, stageEnd] of [[1, 1], [2, 2]] as const) {
    for (const step of [1, 2]) {
      clock.time = (10 ** epoch) * step * 1000;
      reporter.step({ ...STEP, epoch, stageEnd, step, steps: 4 });
    }
  }
  assert.match(lines[1] ?? "", /captions\/s, 20 s until epoch 2, when fine-tuning starts, waiting/);
  assert.match(lines[3] ?? "", /captions\/s, 3 min 20 s left, waiting/);
});

Deno.test("ProgressReporter prints a line for each step if there are fewer than four", () => {
  const { reporter, lines } = reporterOf();
  for (const done of [1, 2]) reporter.progress("Decoding images", done, 2);
  assert.deepEqual(lines, ["Decoding images: 1/2", "Decoding images: 2/2"]);
});

Deno.test("ProgressReporter prints an epoch's losses, time and speed, and whether it is the best", () => {
  const { reporter, lines } = reporterOf();
  reporter.epoch(METRICS, true);
  reporter.epoch({ ...METRICS, epoch: 2, validationLoss: 2.6 }, false);
  assert.deepEqual(lines, [
    "Epoch 1/2: train loss 2.3457, validation loss 2.5000 (best), mismatched-image gap +0.12, 46% distinct captions, " +
    "BLEU-4 0.079, CIDEr 0.789, 1 min 15 s, 123 captions/s",
    "Epoch 2/2: train loss 2.3457, validation loss 2.6000, mismatched-image gap +0.12, 46% distinct captions, " +
    "BLEU-4 0.079, CIDEr 0.789, 1 min 15 s, 123 captions/s",
  ]);
});

Deno.test("ProgressReporter prints the loss of self-critical training as a reward", () => {
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
  const reporter = new ProgressReporter({ epochs: 2, rewards: true, terminal: false, print, now: () => 0 });
  reporter.epoch({ ...METRICS, trainLoss: -0.8125 }, false);
  reporter.step({ ...STEP, loss: -0.5, step: 100 });
  assert.match(lines[0] ?? "", /^Epoch 1\/2: train reward 0\.8125, validation loss 2\.5000, /);
  assert.match(lines[1] ?? "", /, reward 0\.500, /);
});

Deno.test("ProgressReporter draws bars on a terminal and prints only the lines of epochs", () => {
  const { reporter, lines } = reporterOf(true);
  using _reporter = reporter;
  reporter.progress("Rendering scenes", 1, 4);
  reporter.step({ ...STEP, steps: 4 });
  assert.deepEqual(lines, []);
  reporter.epoch(METRICS, false);
  assert.equal(lines.length, 1);
});

Deno.test("duration() writes seconds, minutes and hours", () => {
  assert.deepEqual([0.4, 59.4, 60, 3599, 3600, 90061, Infinity].map(duration), [
    "0 s",
    "59 s",
    "1 min 0 s",
    "59 min 59 s",
    "1 h 0 min",
    "25 h 1 min",
    "?",
  ]);
});

Deno.test("a quiet ProgressReporter prints only warnings and what was skipped, on a terminal or not", () => {
  for (const terminal of [false, true]) {
    const { reporter, lines } = reporterOf(terminal, true);
    reporter.progress("Decoding images", 1, 2);
    reporter.step({ ...STEP, step: 50 });
    reporter.epoch(METRICS, true);
    reporter.note("Model: lrcn recipe on cpu in fp32");
    reporter.warn("Warning: 'warmupSteps' has no effect: the schedule is one-cycle");
    reporter.warn("Skipped 3 broken images, the first: 'dog.jpg': it is empty");
    assert.deepEqual(lines.map((line) => line.split(/\W/)[0]), ["Warning", "Skipped"]);
  }
});
