import assert from "node:assert/strict";
import { duration, TrainingReporter } from "../../src/cli/training_reporter.ts";

/** A reporter of a run of 2 epochs, its lines, and its clock. */
function reporterOf(terminal = false) {
  const lines: string[] = [];
  const clock = { time: 0 };
  const reporter = new TrainingReporter({
    epochs: 2,
    terminal,
    print: (line) => lines.push(line),
    now: () => clock.time,
  });
  return { reporter, lines, clock };
}

const METRICS = {
  epoch: 1,
  trainLoss: 2.34567,
  validationLoss: 2.5,
  seconds: 75.2,
  captionsPerSecond: 123.4,
  imagesPerSecond: 24.7,
  dataWaitShare: 0.02,
  learningRate: 1e-3,
  gradientNorm: 1,
};

Deno.test("TrainingReporter prints four plain lines an epoch where there is no terminal", () => {
  const { reporter, lines, clock } = reporterOf();
  const steps = 100;
  for (let step = 1; step <= steps; step++) {
    clock.time = step * 1000;
    reporter.step({ epoch: 1, step, steps, loss: 3.14159, captionsPerSecond: 12.345, dataWaitShare: 0.071 });
  }
  assert.equal(lines.length, 4);
  // 24 steps took 24 seconds, 175 are to come.
  assert.equal(
    lines[0],
    "Epoch 1/2: 25/100, loss 3.142, 12.3 captions/s, 2 min 55 s left, waiting for data 7%",
  );
  assert.match(lines[3] ?? "", /^Epoch 1\/2: 100\/100, .* 1 min 40 s left/);
});

Deno.test("TrainingReporter prints a line for each step where there are fewer than four", () => {
  const { reporter, lines } = reporterOf();
  for (const done of [1, 2]) reporter.progress("Decoding images", done, 2);
  assert.deepEqual(lines, ["Decoding images: 1/2", "Decoding images: 2/2"]);
});

Deno.test("TrainingReporter prints an epoch's losses, time and speed, and whether it is the best", () => {
  const { reporter, lines } = reporterOf();
  reporter.epoch(METRICS, true);
  reporter.epoch({ ...METRICS, epoch: 2, validationLoss: 2.6 }, false);
  assert.deepEqual(lines, [
    "Epoch 1/2: train loss 2.3457, validation loss 2.5000 (best), 1 min 15 s, 123 captions/s",
    "Epoch 2/2: train loss 2.3457, validation loss 2.6000, 1 min 15 s, 123 captions/s",
  ]);
});

Deno.test("TrainingReporter draws bars on a terminal and prints the lines of epochs only", () => {
  const { reporter, lines } = reporterOf(true);
  using _reporter = reporter;
  reporter.progress("Drawing scenes", 1, 4);
  reporter.step({ epoch: 1, step: 1, steps: 4, loss: 3, captionsPerSecond: 10, dataWaitShare: 0 });
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
