import assert from "node:assert/strict";
import { makeFolder } from "../support/temporary_folder.ts";
import { canRunTasks } from "../support/run_task.ts";
import { runProgram } from "./native_program.ts";

const ignore = !canRunTasks;
const MEBIBYTE = 2 ** 20;
const MEMINFO = "MemTotal: 16384 kB\nMemFree: 1024 kB\nMemAvailable: 8192 kB\nSwapTotal: 4096 kB\nSwapFree: 2048 kB\n";
const V1 = "sys/fs/cgroup/memory";
const V2 = "sys/fs/cgroup";

/** The files of a control group of version 2; numbers in MiB. */
function group(path: string, limit: number | "max", used: number, [inactive = 0, active = 0, mapped = 0] = [0]) {
  const stat = { anon: used, file: 0, file_mapped: mapped, inactive_file: inactive, active_file: active };
  return {
    [`${V2}${path}/memory.max`]: limit === "max" ? "max\n" : `${limit * MEBIBYTE}\n`,
    [`${V2}${path}/memory.current`]: `${used * MEBIBYTE}\n`,
    [`${V2}${path}/memory.stat`]: Object.entries(stat).map(([name, value]) => `${name} ${value * MEBIBYTE}\n`).join(""),
  };
}

/** The same of version 1. */
function group1(path: string, limit: number, used: number, inactive: number) {
  const stat = { inactive_file: 9999, total_mapped_file: 0, total_inactive_file: inactive, total_active_file: 0 };
  return {
    [`${V1}${path}/memory.limit_in_bytes`]: `${BigInt(limit) * BigInt(MEBIBYTE)}\n`,
    [`${V1}${path}/memory.usage_in_bytes`]: `${used * MEBIBYTE}\n`,
    [`${V1}${path}/memory.stat`]: Object.entries(stat).map(([name, value]) => `${name} ${value * MEBIBYTE}\n`).join(""),
  };
}

/** Systems and their available MiB. */
const SYSTEMS: Record<string, [left: number | undefined, files: Record<string, string>]> = {
  "no readable limit": [undefined, {}],
  "a machine: available memory and swap": [10, { "proc/meminfo": MEMINFO }],
  "a group": [3, { "proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/job\n", ...group("/job", 5, 2) }],
  "a group without a limit": [10, {
    "proc/meminfo": MEMINFO,
    "proc/self/cgroup": "0::/job\n",
    ...group("/job", "max", 2),
  }],
  "a group on a machine with less": [10, {
    "proc/meminfo": MEMINFO,
    "proc/self/cgroup": "0::/job\n",
    ...group("/job", 50, 2),
  }],
  "a group whose page cache is reclaimable, except the running code": [6, {
    "proc/self/cgroup": "0::/job\n",
    ...group("/job", 10, 9, [4, 2, 1]),
  }],
  "a group over its limit": [0, { "proc/self/cgroup": "0::/job\n", ...group("/job", 10, 11) }],
  "nested groups: the minimum": [2, {
    "proc/self/cgroup": "0::/slice/user/job\n",
    ...group("/slice/user/job", 9, 1),
    ...group("/slice/user", "max", 1),
    ...group("/slice", 3, 1),
  }],
  "a container that sees its own group as the root": [4, { "proc/self/cgroup": "0::/\n", ...group("", 5, 1) }],
  "a container with the host's path": [4, {
    "proc/self/cgroup": "0::/host/slice/container\n",
    ...group("", 5, 1),
  }],
  "version 1": [5, {
    "proc/self/cgroup": "5:cpu,cpuacct:/a\n4:hugetlb,memory:/job\n1:name=systemd:/b\n0::/\n",
    ...group1("/job", 9, 6, 2),
    ...group1("", 8796093022207, 60, 0),
    ...group1("/a", 1, 1, 0),
  }],
};

Deno.test({
  name: "memory_left() is the minimum over the machine and the control groups",
  ignore,
  async fn() {
    const names = Object.keys(SYSTEMS);
    const files = Object.entries(SYSTEMS).flatMap(([, [, system]], index) =>
      Object.entries(system).map(([path, text]) => [`${index}/${path}`, text])
    );
    await using folder = await makeFolder(Object.fromEntries(files));
    const main = `
      #include <cstdio>
      #include "memory_limits.hpp"
      int main(int count, char** roots) {
        for (int i = 1; i < count; ++i) std::printf("%llu\\n", (unsigned long long)lrcn::memory_left(roots[i]));
      }`;
    const lines = await runProgram(main, ["memory_limits.cpp"], names.map((_, index) => `${folder.path}/${index}`));
    const left = lines.map((line) => line === `${2n ** 64n - 1n}` ? undefined : Number(line) / MEBIBYTE);
    const expected = Object.fromEntries(Object.entries(SYSTEMS).map(([name, [number]]) => [name, number]));
    assert.deepEqual(Object.fromEntries(names.map((name, index) => [name, left[index]])), expected);
  },
});

Deno.test({
  name: "Arena.give_back() allocates nothing, and merges what is free",
  ignore,
  async fn() {
    // Blocks of changing sizes are taken, and every other one given back in turns, with an operator new that fails.
    const main = `
      #include <cstdio>
      #include <cstdlib>
      #include <new>
      #include <vector>
      #include "arena.hpp"
      static bool fails = false;
      void* operator new(std::size_t bytes) {
        if (fails) throw std::bad_alloc();
        return std::malloc(bytes);
      }
      void operator delete(void* block) noexcept { std::free(block); }
      void operator delete(void* block, std::size_t) noexcept { std::free(block); }
      int main() {
        constexpr std::size_t kGranule = lrcn::Arena::kGranule;
        lrcn::Arena arena([](std::size_t) { return true; });
        for (int round = 0; round < 3; ++round) {
          std::vector<void*> blocks;
          for (std::size_t i = 0; i < 100; ++i) blocks.push_back(arena.take((1 + i % 7) * kGranule));
          fails = true;
          for (std::size_t first : {0, 1}) {
            for (std::size_t i = first; i < 100; i += 2) arena.give_back(blocks[i], (1 + i % 7) * kGranule);
          }
          fails = false;
          const auto held = arena.held();
          void* all = arena.take(held);
          std::printf("%d %d\\n", all != nullptr, arena.held() == held);
          arena.give_back(all, held);
        }
      }`;
    assert.deepEqual(await runProgram(main, ["arena.cpp"], []), ["1 1", "1 1", "1 1"]);
  },
});

Deno.test({
  name: "is_out_of_memory() recognizes messages of libtorch and of the libraries below it",
  ignore,
  async fn() {
    const out = [
      "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 79.10 GiB",
      "CUDA error: out of memory",
      "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
      "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
      "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
      "cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`",
      "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate",
      "could not create a memory object",
      "dnnl_out_of_memory",
    ];
    const other = [
      "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED",
      "could not create a memory descriptor from blob",
      "mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)",
      "",
    ];
    const main = `
      #include <cstdio>
      #include "error.hpp"
      int main(int count, char** texts) {
        for (int i = 1; i < count; ++i) std::puts(lrcn::is_out_of_memory(texts[i]) ? "true" : "false");
      }`;
    const lines = await runProgram(main, [], [...out, ...other]);
    assert.deepEqual(lines, [...out.map(() => "true"), ...other.map(() => "false")]);
  },
});
