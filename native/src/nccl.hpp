#pragma once

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <cstdint>

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace lrcn {

/// NCCL's process group for the calling thread's current GPU.
c10::intrusive_ptr<c10d::Backend> nccl(const c10::intrusive_ptr<c10d::Store>& store, int32_t rank, int32_t size,
                                       std::chrono::milliseconds timeout);

}  // namespace lrcn
