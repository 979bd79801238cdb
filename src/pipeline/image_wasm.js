// @ts-self-types="./image_wasm.d.ts"
// ImageScript's decoders as WebAssembly modules. Its own loaders read an environment variable and files at run time; an
// import in the source phase needs no permission, and gives a fresh decoder after one has trapped. TypeScript 6 cannot
// parse such an import, so these two stand in JavaScript with their types beside.
import source jpeg from "imagescript/wasm/any/jpeg.wasm";
import source png from "imagescript/wasm/any/png.wasm";

export function newJpegDecoder() {
  return new WebAssembly.Instance(jpeg).exports;
}

export function newPngDecoder() {
  return new WebAssembly.Instance(png, { env: { emscripten_notify_memory_growth() {} } }).exports;
}
