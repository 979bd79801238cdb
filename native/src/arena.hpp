#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <utility>

namespace lrcn {

/// Large blocks in one range of addresses, of which as much has memory as was ever in use at once. A block that is given
/// back joins the free ones beside it: what the forward pass leaves becomes what the backward pass needs, whatever the
/// sizes. Not for several threads at a time.
class Arena {
 public:
  /// Sizes of blocks are multiples of this.
  static constexpr size_t kGranule = size_t{64} << 10;

  /// has_room: whether the machine has so many bytes more.
  explicit Arena(std::function<bool(size_t bytes)> has_room) : has_room_(std::move(has_room)) {}

  /// A block, or null where there is no memory for it.
  void* take(size_t bytes);
  void give_back(void* block, size_t bytes);

  /// Gives the free end of what has memory back to the system.
  void trim();

  /// Bytes that have memory.
  size_t held() const { return static_cast<size_t>(top_ - begin_); }

 private:
  bool reserve();
  bool grow(size_t bytes);
  void add_free(char* place, size_t bytes);
  void remove_free(std::map<char*, size_t>::iterator found);

  std::function<bool(size_t)> has_room_;
  char* begin_ = nullptr;
  char* top_ = nullptr;  // the end of what has memory
  char* end_ = nullptr;
  std::map<char*, size_t> free_;  // no two side by side
  std::set<std::pair<size_t, char*>> free_by_size_;
};

}  // namespace lrcn
