#include "allocator.hpp"

#include <c10/core/Allocator.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>
#include <map>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

namespace lrcn {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kCacheLine = 64;

/// Four size classes a doubling, so that at most a fifth of a block is unused.
size_t size_class(size_t bytes) {
  if (bytes <= kCacheLine) return kCacheLine;
  const size_t step = std::max(std::bit_floor(bytes - 1) / 4, kCacheLine);
  return (bytes + step - 1) / step * step;
}

/// Bytes of memory and swap.
size_t machine_memory() {
  struct sysinfo info;
  if (sysinfo(&info) != 0) return std::numeric_limits<size_t>::max();
  return (info.totalram + info.totalswap) * info.mem_unit;
}

class PoolingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* block = bytes == 0 ? nullptr : take(size_class(bytes));
    return {block, block, &give_back, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }

  void copy_data(void* destination, const void* source, size_t bytes) const override {
    default_copy_data(destination, source, bytes);
  }

  CpuMemory memory() {
    const std::lock_guard lock(mutex_);
    return {in_use_, peak_, held_};
  }

  static PoolingAllocator& instance() {
    // Never destroyed: tensors in static storage are freed after any destructor of ours would have run.
    static auto* const pool = ::new PoolingAllocator;
    return *pool;
  }

 private:
  static void give_back(void* block) {
    if (block != nullptr) instance().put(block);
  }

  void* take(size_t bytes) {
    const std::lock_guard lock(mutex_);
    auto& free = free_[bytes];
    void* block = nullptr;
    if (!free.empty()) {
      block = free.back();
      free.pop_back();
    } else {
      block = from_system(bytes);
      held_ += static_cast<int64_t>(bytes);
    }
    sizes_[block] = bytes;
    in_use_ += static_cast<int64_t>(bytes);
    peak_ = std::max(peak_, in_use_);
    return block;
  }

  void put(void* block) {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(block);
    const size_t bytes = found->second;
    sizes_.erase(found);
    in_use_ -= static_cast<int64_t>(bytes);
    free_[bytes].push_back(block);
  }

  void* from_system(size_t bytes) {
    if (void* block = try_system(bytes)) return block;
    release_free_blocks();
    if (void* block = try_system(bytes)) return block;
    throw std::bad_alloc();
  }

  /// Null where the machine has not that much: the kernel promises more, and ends the process that comes to use it.
  void* try_system(size_t bytes) const {
    const size_t alignment = bytes >= kHugePage ? kHugePage : kCacheLine;
    void* block = nullptr;
    if (bytes > machine_memory_ - static_cast<size_t>(held_)) return nullptr;
    if (posix_memalign(&block, alignment, bytes) != 0) return nullptr;
    if (alignment == kHugePage) madvise(block, bytes, MADV_HUGEPAGE);
    return block;
  }

  void release_free_blocks() {
    for (auto& [bytes, blocks] : free_) {
      for (void* block : blocks) std::free(block);
      held_ -= static_cast<int64_t>(bytes * blocks.size());
      blocks.clear();
    }
  }

  std::mutex mutex_;
  std::map<size_t, std::vector<void*>> free_;
  std::unordered_map<void*, size_t> sizes_;
  int64_t in_use_ = 0;
  int64_t peak_ = 0;
  int64_t held_ = 0;
  const size_t machine_memory_ = machine_memory();
};

}  // namespace

void install_pooling_allocator() {
#ifndef __SANITIZE_ADDRESS__  // a pool would hide from it what is used after it was freed
  static std::once_flag once;
  constexpr uint8_t kPriority = 100;
  std::call_once(once, [] { c10::SetAllocator(c10::DeviceType::CPU, &PoolingAllocator::instance(), kPriority); });
#endif
}

CpuMemory cpu_memory() { return PoolingAllocator::instance().memory(); }

}  // namespace lrcn
