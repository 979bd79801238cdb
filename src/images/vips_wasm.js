// @ts-self-types="./vips_wasm.d.ts"
// libvips as a WebAssembly module, compiled once for all Workers. TypeScript 6 cannot parse an import in the source
// phase, so this stands in JavaScript with its types beside.
import source vips from "wasm-vips/vips.wasm";

export const vipsModule = vips;
export const vipsUrl = import.meta.resolve("wasm-vips/vips.wasm");
