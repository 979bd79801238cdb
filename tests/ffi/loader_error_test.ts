import assert from "node:assert/strict";
import { loaderReason } from "../../src/ffi/loader_error.ts";

/** What glibc's loader says, as Deno passes it on. */
const MESSAGES: readonly (readonly [message: string, advice: RegExp])[] = [
  [
    "/opt/conda/lib/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by native/build/liblrcn.so)",
    /another libstdc\+\+ than the system's is loaded first; unset LD_LIBRARY_PATH and LD_PRELOAD/,
  ],
  [
    "libc10.so: undefined symbol: _ZTVNSt7__cxx1118basic_stringstreamIwE, version GLIBCXX_3.4.21",
    /another libstdc\+\+ than the system's/,
  ],
  [
    "/opt/conda/lib/libstdc++.so.6: version `CXXABI_1.3.13' not found (required by libtorch_cpu.so)",
    /another libstdc\+\+/,
  ],
  [
    "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by liblrcn.so)",
    /built on a newer system/,
  ],
  ["liblrcn.so: undefined symbol: _ZTIN5torch8autograd4NodeE", /another libtorch .* unset LD_LIBRARY_PATH/],
  ["libgomp.so.1: cannot allocate memory in static TLS block", /too many libraries .* unset LD_LIBRARY_PATH/],
  ["liblrcn.so: failed to map segment from shared object", /noexec, or memory is short/],
  ["libtorch_cpu.so: cannot create shared object descriptor: Cannot allocate memory", /memory is short/],
  ["libtorch_cpu.so: cannot open shared object file: Too many open files", /raise the limit by ulimit -n$/],
  ["liblrcn.so: file too short", /damaged.*remove native\/build; run deno task build$/],
  ["liblrcn.so: invalid ELF header", /damaged/],
  ["libtorch.so: cannot open shared object file: No such file or directory", /directory; run deno task build$/],
  ["Failed to register symbol lrcn_step: liblrcn.so: undefined symbol: lrcn_step", /lrcn_step; run deno task build$/],
];

Deno.test("loaderReason() names the cause of the loader's error, and what to do", () => {
  for (const [message, advice] of MESSAGES) {
    const reason = loaderReason(new Error(`Could not open library: Could not open library: ${message}\nat x`));
    assert(reason.startsWith(`${message}; `) && !reason.includes("\n"), reason);
    assert.match(reason, advice);
  }
});
