import type { FileCaption, FileProblem } from "../captioning/caption_files.ts";
import type { CaptionOutput } from "./caption_output.ts";
import type { CaptionProgress } from "./caption_progress.ts";

/** Options of {@linkcode printCaptions}. */
export interface PrintCaptionsOptions {
  readonly output: CaptionOutput;
  readonly progress: Pick<CaptionProgress, "advance">;
  /** Writes to standard output; throws `Deno.errors.BrokenPipe` if its reader has closed it. */
  readonly print: (text: string) => Promise<void>;
  /** Receives a line for each image without a caption. */
  readonly printProblem: (line: string) => void;
  /** Stops the source of the captions. */
  readonly stop: () => void;
}

/**
 * Prints captions as they come, and returns the number of images without one. Ends if the reader closes the output. If
 * something fails, a JSON array is still closed.
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
          return;
        }
        await print(output.add(result)).catch((error) => {
          stop(); // otherwise the loop waits for the next line of standard input
          throw error;
        });
      });
    }
    await print(output.end());
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return problems;
    if (output.started) await print(output.end());
    throw error;
  }
  return problems;
}

/**
 * Writes all of a text to standard output.
 *
 * @throws {Deno.errors.BrokenPipe} If its reader has closed it.
 */
export async function writeOutput(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
}
