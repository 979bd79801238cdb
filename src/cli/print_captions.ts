/**
 * Captions to standard output, as they come.
 *
 * @module
 */

import type { FileCaption, FileProblem } from "../captioning/caption_files.ts";
import type { CaptionOutput } from "./caption_output.ts";
import type { CaptionProgress } from "./caption_progress.ts";

/** Where {@linkcode printCaptions} prints. */
export interface PrintCaptionsOptions {
  /** What captions look like. */
  readonly output: CaptionOutput;
  /** What shows how far it is. */
  readonly progress: Pick<CaptionProgress, "advance">;
  /** Standard output; throws `Deno.errors.BrokenPipe` where nobody reads it any more. */
  readonly print: (text: string) => Promise<void>;
  /** Takes a line about an image without caption. */
  readonly printProblem: (line: string) => void;
  /** Ends what makes the captions. */
  readonly stop: () => void;
}

/**
 * Prints captions as they come. Where nobody reads them any more, it ends; what fails leaves a sound array behind.
 *
 * @param results Captions and problems.
 * @param options See {@linkcode PrintCaptionsOptions}.
 * @returns How many images have no caption.
 */
export async function printCaptions(
  results: AsyncIterable<FileCaption | FileProblem>,
  options: PrintCaptionsOptions,
): Promise<number> {
  const { output, progress, print, printProblem, stop } = options;
  let problems = 0;
  try {
    for await (const result of results) {
      await progress.advance(async () => {
        if ("problem" in result) {
          problems++;
          printProblem(`error: ${result.problem}`);
        } else {await print(output.add(result)).catch((error) => {
            // Or the loop would wait for standard input's next line.
            stop();
            throw error;
          });}
      });
    }
    await print(output.end());
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return problems;
    if (output.begun) await print(output.end());
    throw error;
  }
  return problems;
}

/**
 * Writes to standard output.
 *
 * @param text What is written, whole.
 * @throws {Deno.errors.BrokenPipe} If nobody reads it any more.
 */
export async function writeOutput(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
}
