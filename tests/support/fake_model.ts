// A model without the native library: it describes an image's width.

import type { Caption } from "../../src/captioning/caption.ts";
import type { DecodingOptions } from "../../src/captioning/decoding_options.ts";
import type { RgbImage } from "../../src/images/rgb_image.ts";
import { ImageError } from "../../src/images/image_error.ts";
import { decodableKind } from "../../src/images/image_kind.ts";
import { checkSize } from "../../src/images/image_limits.ts";
import { pngEndsEarly } from "../../src/images/png_chunks.ts";
import { type AppOptions, createApp } from "../../src/server/app.ts";
import type { App } from "../../src/server/guards.ts";

/** What a {@linkcode fakeModel} was asked. */
export interface Asked {
  /** Widths of the images of a batch. */
  readonly widths: readonly number[];
  /** How they were to be captioned. */
  readonly decoding: DecodingOptions;
}

/** Options of {@linkcode fakeModel}. */
export interface FakeModelOptions {
  /**
   * What captioning waits for.
   *
   * @default {nothing}
   */
  readonly until?: () => Promise<void>;
  /**
   * Thrown instead of captions.
   *
   * @default {nothing}
   */
  readonly failure?: Error;
}

/** Creates the model, and the list of its calls. */
export function fakeModel({ until = () => Promise.resolve(), failure }: FakeModelOptions = {}) {
  const asked: Asked[] = [];
  const model = {
    decodeOptions: {},
    metadata: {
      recipe: "lrcn",
      vocabulary: ["<pad>", "<unk>", "<start>", "<end>", "wide"],
      preprocessing: { imageSize: 224, shortSide: 256, applyExif: true },
      decoding: { beamSize: 3, maxLength: 20 },
    },
    prepare: (image: RgbImage) => Promise.resolve(image),
    tokenize: (text: string) => text.split(/\s+/).filter((word) => word !== ""),
    async caption(images: readonly RgbImage[], decoding: DecodingOptions = {}): Promise<Caption[]> {
      asked.push({ widths: images.map(({ width }) => width), decoding });
      await until();
      if (failure !== undefined) throw failure;
      const write = ({ width }: RgbImage, word: string) => {
        const tokens = [String(width), word];
        return { text: tokens.join(" "), logProbability: -1, tokens };
      };
      return images.map((image) => ({
        ...write(image, "wide"),
        ...((decoding.nBest ?? 1) > 1 && { alternatives: [write(image, "pixels")] }),
      }));
    },
    explain(_image: RgbImage, tokens: readonly string[]) {
      const words = tokens.map((word) => ({
        word,
        probability: 0.5,
        strength: 1,
        heat: Float32Array.of(0, 1 / 3, 0, 1),
      }));
      return Promise.resolve({ words, rows: 2, columns: 2, seen: { width: 1, height: 1, pixels: new Uint8Array(3) } });
    },
  };
  return { model: model as unknown as AppOptions["model"], asked };
}

/** Looks at PNG files without decoding them: needs no Worker and no permission. */
export const DECODERS: AppOptions["decoders"] = {
  async decodeThen(file, use, { maxPixels } = {}) {
    if (!("bytes" in file)) throw new ImageError("it is not in memory");
    const { bytes } = file;
    decodableKind(bytes);
    if (pngEndsEarly(bytes)) throw new ImageError("the PNG ends too early, fetch or copy the file again");
    const view = new DataView(bytes.buffer);
    const [width, height] = [view.getUint32(16), view.getUint32(20)];
    checkSize({ width, height }, maxPixels);
    return await use({ width, height, pixels: new Uint8Array(3 * width * height) });
  },
};

/** Limits that no test of something else meets. */
export const LIMITS = { bytes: 1e6, pixels: 1e6, requests: 100, seconds: 10 };

/** Makes a server's answers around a fake model. */
export function fakeApp(options: Partial<AppOptions> = {}): App {
  return createApp({ model: fakeModel().model, decoders: DECODERS, limits: LIMITS, ...options });
}

/** Asks an app. */
export async function ask(app: App, path: string, init: RequestInit = {}): Promise<Response> {
  return await app.fetch(new Request(`http://localhost${path}`, init));
}
