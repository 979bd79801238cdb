import type { FileCaption } from "../captioning/caption_files.ts";
import type { ModelFacts } from "../checkpoint/model_facts.ts";

/** Options of {@linkcode CaptionOutput}. */
export interface CaptionOutputOptions {
  /** `json`: one array; `jsonl`: an object a line. */
  readonly format: "text" | "json" | "jsonl";
  /** Whether there is only one image: its name is then omitted. */
  readonly single: boolean;
  /** Whether each line has rank and log-probability. */
  readonly ranked: boolean;
  /** The model that wrote the captions, which each JSON object names. */
  readonly model: ModelFacts;
}

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/** Formats captions as text, one after the other. */
export class CaptionOutput {
  readonly #options: CaptionOutputOptions;
  #started = false;

  constructor(options: CaptionOutputOptions) {
    this.#options = options;
  }

  /** Whether a caption was formatted. */
  get started(): boolean {
    return this.#started;
  }

  add(caption: FileCaption): string {
    const first = !this.#started;
    this.#started = true;
    const { format, model } = this.#options;
    const object = { ...caption, model };
    if (format === "jsonl") return `${JSON.stringify(object)}\n`;
    if (format === "json") {
      return `${first ? "[\n" : ",\n"}${JSON.stringify(object, null, 2).replaceAll(/^/gm, "  ")}`;
    }
    return this.#lines(caption);
  }

  /** The text after the last caption. */
  end(): string {
    if (this.#options.format !== "json") return "";
    return this.#started ? "\n]\n" : "[]\n";
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

// File names may contain tabs and line ends, which would break the line, and escape sequences, which a terminal obeys.
function onOneLine(text: string): string {
  return text.replaceAll(CONTROL, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
