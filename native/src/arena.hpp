#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "node_pool.hpp"

namespace lrcn {

/// Large blocks in one range of addresses, of which as much is backed as was ever in use at once. A freed block is
/// merged with free neighbors, so the backward pass reuses the memory of the forward pass, whatever the sizes. Not
/// thread-safe.
class Arena {
 public:
  /// Sizes of blocks are multiples of this.
  static constexpr size_t kGranule = size_t{64} << 10;

  /// has_room: whether the machine has that many more bytes.
  explicit Arena(std::function<bool(size_t bytes)> has_room) : has_room_(std::move(has_room)) {}

  /// A block, or null if there is no memory.
  void* take(size_t bytes);
  /// Allocates nothing: memory may be short.
  void give_back(void* block, size_t bytes) noexcept;

  /// Returns the free end of the backed range to the system.
  void trim();

  /// Backed bytes.
  size_t held() const { return static_cast<size_t>(top_ - begin_); }

 private:
  bool reserve();
  bool grow(size_t bytes);
  void add_range(char* block_begin, size_t bytes);
  void add_free(char* block_begin, size_t bytes);
  void remove_free(std::pmr::map<char*, size_t>::iterator found);

  std::function<bool(size_t)> has_room_;
  char* begin_ = nullptr;
  char* top_ = nullptr;  // end of the backed range
  char* end_ = nullptr;
  size_t taken_ = 0;    // blocks
  NodePool nodes_;
  std::pmr::map<char*, size_t> free_{&nodes_};  // no two adjacent
  std::pmr::set<std::pair<size_t, char*>> free_by_size_{&nodes_};
};

}  // namespace lrcn
