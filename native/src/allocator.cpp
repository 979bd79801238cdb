#include "allocator.hpp"

#include <c10/core/Allocator.h>
#include <malloc.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "arena.hpp"
#include "error.hpp"
#include "memory_limits.hpp"

namespace lrcn {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kMebibyte = size_t{1} << 20;
/// Blocks from this size on are allocated in the arena.
constexpr size_t kLargeBlock = kMebibyte;
/// Reserved for memory outside the arena: small blocks, the program's own heap, page tables.
constexpr uint64_t kReserve = 64 * kMebibyte;

/// Four size classes per doubling, so that at most a fifth of a small block is unused.
size_t size_class(size_t bytes) {
  if (bytes <= kCacheLine) return kCacheLine;
  if (bytes >= kLargeBlock) return (bytes + Arena::kGranule - 1) / Arena::kGranule * Arena::kGranule;
  const size_t step = std::max(std::bit_floor(bytes - 1) / 4, kCacheLine);
  return (bytes + step - 1) / step * step;
}

/// Bytes that may still be allocated.
uint64_t room() {
  const uint64_t left = memory_left();
  return left > kReserve ? left - kReserve : 0;
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
    return {in_use_, peak_, held_ + static_cast<int64_t>(arena_.held())};
  }

  static PoolingAllocator& instance() {
    // Never destroyed: tensors in static storage are freed after any destructor of ours.
    static auto* const pool = ::new PoolingAllocator;
    return *pool;
  }

 private:
  static void give_back(void* block) {
    if (block != nullptr) instance().put(block);
  }

  /// The beginning of a small block that is free.
  struct FreeBlock {
    FreeBlock* next;
  };

  void* take(size_t bytes) {
    const std::lock_guard lock(mutex_);
    void* const block = find(bytes);
    try {
      sizes_.emplace(block, bytes);
    } catch (...) {
      release(block, bytes);
      throw;
    }
    in_use_ += static_cast<int64_t>(bytes);
    peak_ = std::max(peak_, in_use_);
    return block;
  }

  void put(void* block) {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(block);
    if (found == sizes_.end()) return std::free(block);  // allocated before this allocator was installed
    const size_t bytes = found->second;
    sizes_.erase(found);
    in_use_ -= static_cast<int64_t>(bytes);
    release(block, bytes);
  }

  /// Allocates nothing: memory may be short.
  void release(void* block, size_t bytes) noexcept {
    if (bytes >= kLargeBlock) return arena_.give_back(block, bytes);
    auto& first = free_.find(bytes)->second;
    first = ::new (block) FreeBlock{first};
  }

  void* find(size_t bytes) {
    if (void* block = try_to_find(bytes)) return block;
    release_free_blocks();
    if (void* block = try_to_find(bytes)) return block;
    const auto asked = std::to_string((bytes + kMebibyte - 1) / kMebibyte) + " MiB";
    const uint64_t left = room();
    if (left >= bytes) throw Error(LRCN_OUT_OF_MEMORY, "the system cannot provide " + asked + " of memory");
    throw Error(LRCN_OUT_OF_MEMORY,
                asked + " more memory are needed, and " + std::to_string(left / kMebibyte) + " MiB are left");
  }

  /// Null if there is not enough memory.
  void* try_to_find(size_t bytes) {
    if (bytes >= kLargeBlock) return arena_.take(bytes);
    auto& first = free_[bytes];
    void* block = first;
    if (first != nullptr) {
      first = first->next;
    } else if (posix_memalign(&block, kCacheLine, bytes) == 0) {
      held_ += static_cast<int64_t>(bytes);
    } else {
      return nullptr;
    }
    return block;
  }

  void release_free_blocks() {
    for (auto& [bytes, first] : free_) {
      while (first != nullptr) {
        std::free(std::exchange(first, first->next));
        held_ -= static_cast<int64_t>(bytes);
      }
    }
    malloc_trim(0);  // else the C library keeps free memory between blocks
    arena_.trim();
  }

  std::mutex mutex_;
  Arena arena_{[](size_t bytes) { return bytes <= room(); }};
  std::map<size_t, FreeBlock*> free_;  // by size class
  std::unordered_map<void*, size_t> sizes_;
  int64_t in_use_ = 0;
  int64_t peak_ = 0;
  int64_t held_ = 0;
};

}  // namespace

void install_pooling_allocator() {
#ifndef __SANITIZE_ADDRESS__  // a pool would hide use after free
  static std::once_flag once;
  constexpr uint8_t kPriority = 100;
  std::call_once(once, [] { c10::SetAllocator(c10::DeviceType::CPU, &PoolingAllocator::instance(), kPriority); });
#endif
}

CpuMemory cpu_memory() { return PoolingAllocator::instance().memory(); }

}  // namespace lrcn
