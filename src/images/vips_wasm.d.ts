/** libvips, compiled. */
export const vipsModule: WebAssembly.Module;
/** Where its file lies; its loader and its plugins lie beside. */
export const vipsUrl: string;
