import { fileURLToPath } from "node:url";
import { InputError } from "../input_error.ts";
import { loaderReason } from "./loader_error.ts";
import { checkStatus, MESSAGE_CAPACITY } from "./status.ts";
import { ABI_VERSION, symbols } from "./symbols.ts";

/** The loaded library. */
export type Library = Deno.DynamicLibrary<typeof symbols>;

/** The library built by `deno task build`. */
export const LIBRARY_PATH: string = fileURLToPath(new URL("../../native/build/liblrcn.so", import.meta.url));

/** Versions and devices of the native library. */
export interface BuildInfo {
  /** Version of the ABI. */
  readonly abi: number;
  /** Version of libtorch at compile time. */
  readonly torch: string;
  /** Version of the loaded libtorch. */
  readonly torchLoaded: string;
  /** Whether this libtorch can use a GPU here. */
  readonly cuda: boolean;
  /** Number of GPUs. */
  readonly cudaDevices: number;
  /** Whether the first GPU convolves bfloat16 natively; false without a GPU. */
  readonly cudaBf16: boolean;
  /** Whether the processor multiplies bfloat16 natively. */
  readonly bf16: boolean;
  /** Version of the C++ compiler. */
  readonly compiler: string;
  /** The commit that was built. */
  readonly commit: string;
}

/** The oldest supported Deno, as in README. Those before 2.7.13 freed the buffers of calls that had not ended. */
const OLDEST_DENO = [2, 9] as const;

/**
 * Refuses a Deno that is too old to call the library safely.
 *
 * @throws {InputError} If it is.
 */
export function checkDeno(version: string = Deno.version.deno): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST_DENO[0] || (major === OLDEST_DENO[0] && minor >= OLDEST_DENO[1])) return;
  throw new InputError(
    `Cannot use the native library in Deno ${version}: it needs ${OLDEST_DENO.join(".")} or newer; run deno upgrade`,
  );
}

let loaded: Library | undefined;

/**
 * Loads the library once for the process. It is never closed: libtorch keeps threads and static state, and a call after
 * the last close would crash.
 *
 * @throws {InputError} If Deno is too old, or the library is missing, cannot be loaded, or has another ABI version.
 * @throws {Deno.errors.NotCapable} If `--allow-ffi` does not cover it.
 */
export function loadLibrary(path: string = LIBRARY_PATH): Library {
  if (loaded !== undefined && path === LIBRARY_PATH) return loaded;
  checkDeno();
  const library = open(path);
  const version = library.symbols.lrcn_abi_version();
  if (version !== ABI_VERSION) {
    library.close();
    throw new InputError(
      `Cannot use the native library ${path}: its ABI has version ${version}, this program needs ${ABI_VERSION}; run deno task build`,
    );
  }
  if (path === LIBRARY_PATH) loaded = library;
  return library;
}

function open(path: string): Library {
  try {
    return Deno.dlopen(path, symbols);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot load the native library ${path}: ${loaderReason(error)}`, { cause: error });
  }
}

/** Reads the library's versions and devices. */
export function buildInfo(library: Library): BuildInfo {
  const text = new Uint8Array(1024);
  const length = new Int32Array(1);
  const message = new Uint8Array(MESSAGE_CAPACITY);
  const status = library.symbols.lrcn_build_info(text, text.length, length, message, message.length);
  checkStatus("read the native library's versions", status, message);
  return JSON.parse(new TextDecoder().decode(text.subarray(0, length[0])));
}
