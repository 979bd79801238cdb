import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { canRunTasks, runCommand } from "../../support/run_task.ts";
import { makeFolder } from "../../support/temporary_folder.ts";

const NATIVE = fileURLToPath(new URL("../../../native/", import.meta.url));
const CACHE = `${NATIVE}build/cmake/CMakeCache.txt`;

/** The CMake of the last build and its generator; undefined if there was none. */
async function findCmake(): Promise<readonly string[] | undefined> {
  const cache = await Deno.readTextFile(CACHE).catch(() => "");
  const value = (name: string) => new RegExp(`^${name}:\\w+=(.+)$`, "m").exec(cache)?.[1];
  const [program, generator, maker] = ["CMAKE_COMMAND", "CMAKE_GENERATOR", "CMAKE_MAKE_PROGRAM"].map(value);
  return program && generator && maker ? [program, "-G", generator, `-DCMAKE_MAKE_PROGRAM=${maker}`] : undefined;
}

const cmake = canRunTasks ? await findCmake() : undefined;

/** A libtorch with CUDA, as far as CMake looks at it. */
const C10D = "torch/include/torch/csrc/distributed/c10d";
const LIBTORCH = {
  "torch/lib/libtorch_cpu.so": "",
  "torch/lib/libtorch_cuda.so": "",
  "torch/lib/libtorch_global_deps.so": "",
  [`${C10D}/ProcessGroupGloo.hpp`]: "",
  [`${C10D}/ProcessGroupNCCL.hpp`]:
    "#include <nccl.h>\n#include <cuda_runtime_api.h>\n#include <cublas_v2.h>\n#include <cusparse.h>\n",
};
const EMPTY = "#pragma once\n";
/** In CUDA 13's packages all headers but NCCL's are in one folder. */
const CUDA_13 = Object.fromEntries(
  ["cuda_runtime_api", "cublas_v2", "cusparse"].map((name) => [`nvidia/cu13/include/${name}.h`, EMPTY]),
);
/** In CUDA 12's each library has its own. */
const CUDA_12 = {
  "nvidia/cuda_runtime/include/cuda_runtime_api.h": EMPTY,
  "nvidia/cublas/include/cublas_v2.h": EMPTY,
  "nvidia/cusparse/include/cusparse.h": EMPTY,
};
const NCCL = { "nvidia/nccl/include/nccl.h": EMPTY };
const { "nvidia/cusparse/include/cusparse.h": _, ...WITHOUT_CUSPARSE } = CUDA_12;

for (
  const [name, headers, found] of [
    ["CUDA 13", { ...CUDA_13, ...NCCL }, true],
    ["CUDA 12", { ...CUDA_12, ...NCCL }, true],
    ["CUDA 12 without a header", { ...WITHOUT_CUSPARSE, ...NCCL }, false],
    ["CUDA 12 without NCCL", CUDA_12, false],
  ] as const
) {
  Deno.test({
    name: `CMake ${found ? "finds" : "does without"} NCCL in the packages of ${name}`,
    ignore: cmake === undefined,
    async fn() {
      await using folder = await makeFolder({ ...LIBTORCH, ...headers });
      const build = `${folder.path}/build`;
      const { code, stderr } = await runCommand(
        [
          ...cmake ?? [],
          ...["-S", NATIVE, "-B", build, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", `-DTORCH_DIR=${folder.path}/torch`],
        ],
        folder.path,
      );
      assert.equal(code, 0, stderr);
      assert.equal(stderr.includes("NCCL's or CUDA's headers are missing"), !found, stderr);
      const compiling = await Deno.readTextFile(`${build}/compile_commands.json`);
      assert.equal(compiling.includes("USE_C10D_NCCL"), found);
      const linking = await Deno.readTextFile(`${build}/CMakeFiles/lrcn.dir/link.txt`)
        .catch(() => Deno.readTextFile(`${build}/build.ninja`));
      for (const library of ["torch_cuda", "torch_global_deps"]) {
        assert.match(linking, new RegExp(`(-l|lib)${library}\\b`));
      }
    },
  });
}
