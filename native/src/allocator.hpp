#pragma once

#include <cstdint>

namespace lrcn {

struct CpuMemory {
  int64_t in_use;  // bytes in live tensors
  int64_t peak;    // the most there ever were
  int64_t held;    // bytes taken from the system, free ones in the pool included
};

/// Makes libtorch take its CPU memory from a pool for the rest of the process. Without it every step gives gigabytes
/// back to the kernel and faults them in again.
void install_pooling_allocator();

CpuMemory cpu_memory();

}  // namespace lrcn
