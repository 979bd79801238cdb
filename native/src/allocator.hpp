#pragma once

#include <cstdint>

namespace lrcn {

struct CpuMemory {
  int64_t in_use;  // bytes in live tensors
  int64_t peak;    // the highest in_use so far
  int64_t held;    // bytes reserved from the system, including free ones in the pool
};

/// Makes libtorch allocate CPU memory from a pool for the rest of the process. Without it every step returns gigabytes
/// to the kernel and faults them in again.
void install_pooling_allocator();

CpuMemory cpu_memory();

}  // namespace lrcn
