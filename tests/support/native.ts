// Shared by the native tests: access to the library, and a small model.

import { LIBRARY_PATH, loadLibrary } from "../../src/ffi/library.ts";
import type { ModelSettings } from "../../src/ffi/settings.ts";

/** Tests may load the native library; otherwise they are ignored: run `deno task test`. */
export const canLoad: boolean = (await Deno.permissions.query({ name: "ffi", path: LIBRARY_PATH })).state === "granted";

// The library stays loaded for the process: were it loaded inside a test, that test would be blamed for a leak.
if (canLoad) loadLibrary();
else console.log("Tests that need the native library are ignored here; run them all with: deno task test");

/** A model with the full one's code and names, and few numbers. */
export const TINY_MODEL: ModelSettings = {
  vocabularySize: 40,
  embedSize: 12,
  hiddenSize: 16,
  languageLayers: 0,
  fusionLayers: 1,
  inject: "every",
  encoder: "resnet50",
  encoderWidth: 8,
  encoderBlocks: [1, 1, 1, 1],
};
