// @ts-self-types="./image_wasm.d.ts"
// ImageScript's decoder as a WebAssembly module. Its own loader reads an environment variable and files at run time; an
// import in the source phase needs no permission, and gives a fresh decoder after one has trapped. TypeScript 6 cannot
// parse such an import, so this stands in JavaScript with its types beside.
import source jpeg from "imagescript/wasm/any/jpeg.wasm";

export function newJpegDecoder() {
  return new WebAssembly.Instance(jpeg).exports;
}
