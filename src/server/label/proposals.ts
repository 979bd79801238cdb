import type { Captioner } from "../../captioning/captioner.ts";
import type { Caption } from "../../captioning/caption.ts";
import { prepareFile } from "../../captioning/prepared_batches.ts";
import { ImageError } from "../../images/image_error.ts";
import type { ImageDecoders } from "../../images/image_decoders.ts";
import { InputError } from "../../input_error.ts";
import { CaptionQueue } from "../caption_queue.ts";

/** A caption that the model proposes. */
export interface Proposal {
  readonly caption: string;
  /** The geometric mean of its tokens' probabilities, its end included: comparable between lengths. */
  readonly probability: number;
}

/** An image of the folder. */
export interface LabeledImage {
  readonly name: string;
  readonly path: string;
}

/** The part of a captioner that proposes. */
export type ProposingModel = Pick<Captioner, "decodeOptions" | "prepare" | "caption" | "metadata">;

/** Options of {@linkcode Proposals}. */
export interface ProposalsOptions {
  readonly model: ProposingModel;
  readonly decoders: Pick<ImageDecoders, "decodeThen">;
  readonly images: readonly LabeledImage[];
  /** Maximum pixels of an image. */
  readonly maxPixels: number;
  /** Stops the captioning of the folder. */
  readonly signal: AbortSignal;
}

/** Captions proposed for an image. */
export const PROPOSED = 3;
const AT_ONCE = 8;

/** The captions that a model proposes for the images of a folder: all in the background, and those asked for at once. */
export class Proposals {
  /** Resolves when no image is captioned any more, by the end of the folder or the signal. */
  readonly done: Promise<void>;
  readonly #options: ProposalsOptions;
  readonly #queue: CaptionQueue;
  readonly #beamSize: number;
  readonly #paths: ReadonlyMap<string, string>;
  readonly #asked = new Map<string, Promise<readonly Proposal[]>>();
  readonly #probabilities = new Map<string, number>();
  readonly #problems = new Map<string, string>();

  /** Starts to caption the folder. */
  constructor(options: ProposalsOptions) {
    const { model, images } = options;
    this.#options = options;
    this.#queue = new CaptionQueue(model);
    this.#beamSize = Math.max(PROPOSED, model.metadata.decoding.beamSize);
    this.#paths = new Map(images.map(({ name, path }) => [name, path]));
    this.done = this.#proposeAll();
  }

  /** Number of images that have been captioned. */
  get count(): number {
    return this.#probabilities.size + this.#problems.size;
  }

  /** The path of an image; undefined if there is none of this name. */
  pathOf(name: string): string | undefined {
    return this.#paths.get(name);
  }

  /** The probability of an image's best proposal; null if it is not known yet, or there is none. */
  probabilityOf(name: string): number | null {
    return this.#probabilities.get(name) ?? null;
  }

  /** Why an image has no proposals; null if it has, or may have. */
  problemOf(name: string): string | null {
    return this.#problems.get(name) ?? null;
  }

  /**
   * Proposes captions for an image, best first, before others that wait.
   *
   * @throws {ImageError} If the image cannot be decoded.
   * @throws {InputError} If the model cannot caption it.
   */
  of(name: string): Promise<readonly Proposal[]> {
    const asked = this.#asked.get(name) ?? this.#propose(name);
    this.#asked.set(name, asked);
    return asked;
  }

  async #propose(name: string): Promise<readonly Proposal[]> {
    const { model, decoders, maxPixels, signal } = this.#options;
    try {
      const path = this.#paths.get(name) ?? name;
      const image = await prepareFile(model, { path }, { decoders, maxPixels, signal });
      const best = await this.#queue.caption(image, { beamSize: this.#beamSize, nBest: PROPOSED }, signal);
      const proposals = [best, ...best.alternatives ?? []].map(toProposal)
        .filter(({ caption }, index, all) =>
          caption !== "" && index === all.findIndex((other) => other.caption === caption)
        );
      if (proposals[0] === undefined) throw new InputError("The model has no words for it");
      this.#probabilities.set(name, proposals[0].probability);
      return proposals;
    } catch (error) {
      // Without the path: the page need not know where on this machine the folder is.
      if (error instanceof ImageError && error.kind === "image") this.#problems.set(name, error.reason);
      else if (error instanceof InputError && !(error instanceof ImageError)) this.#problems.set(name, error.message);
      else this.#asked.delete(name); // another time it may succeed
      throw error;
    }
  }

  async #proposeAll(): Promise<void> {
    const { images, signal } = this.#options;
    const left = images[Symbol.iterator]();
    const work = async () => {
      for (const { name } of left) {
        if (signal.aborted) return;
        await this.of(name).catch(() => {}); // whoever asks is told
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }
}

function toProposal({ text, logProbability, tokens }: Caption): Proposal {
  return { caption: text.trim(), probability: Math.exp(logProbability / (tokens.length + 1)) };
}
