/**
 * Captions as they are printed.
 *
 * @module
 */

import type { FileCaption } from "../captioning/caption_files.ts";

/** Options of {@linkcode CaptionOutput}. */
export interface CaptionOutputOptions {
  /** Lines for people and simple programs, one array, or an object a line. */
  readonly format: "text" | "json" | "jsonl";
  /** Whether there is but one image, whose name then needs not be said. */
  readonly single: boolean;
  /** Whether rank and log-probability are said. */
  readonly ranked: boolean;
}

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/** Turns captions into text, one after the other. */
export class CaptionOutput {
  readonly #options: CaptionOutputOptions;
  #begun = false;

  /** @param options See {@linkcode CaptionOutputOptions}. */
  constructor(options: CaptionOutputOptions) {
    this.#options = options;
  }

  /** Whether there was a caption. */
  get begun(): boolean {
    return this.#begun;
  }

  /** The text of the next image's caption and its alternatives. */
  add(caption: FileCaption): string {
    const first = !this.#begun;
    this.#begun = true;
    const { format } = this.#options;
    if (format === "jsonl") return `${JSON.stringify(caption)}\n`;
    if (format === "json") {
      return `${first ? "[\n" : ",\n"}${JSON.stringify(caption, null, 2).replaceAll(/^/gm, "  ")}`;
    }
    return this.#lines(caption);
  }

  /** The text after the last. */
  end(): string {
    if (this.#options.format !== "json") return "";
    return this.#begun ? "\n]\n" : "[]\n";
  }

  #lines(caption: FileCaption): string {
    const { single, ranked } = this.#options;
    const name = single ? [] : [caption.image];
    const all = ranked ? [caption, ...caption.alternatives ?? []] : [caption];
    return all.map(({ caption, logProbability }, index) => {
      const rank = ranked ? [String(index + 1), logProbability.toFixed(4)] : [];
      return `${[...name, ...rank, caption].map(onOneLine).join("\t")}\n`;
    }).join("");
  }
}

/** Names of files may hold anything but a slash; a tab or a line's end would break the line, others the terminal. */
function onOneLine(text: string): string {
  return text.replaceAll(CONTROL, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
