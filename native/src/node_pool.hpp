#pragma once

#include <cstddef>
#include <memory_resource>
#include <new>

namespace lrcn {

/// Memory for the nodes of maps and sets, allocated ahead: an insertion within the reserved number cannot fail. Nodes are
/// kept for the next insertion, and never freed.
class NodePool final : public std::pmr::memory_resource {
 public:
  /// Makes room for that many nodes at once; throws std::bad_alloc.
  void reserve(size_t nodes) {
    for (; nodes_ < nodes; ++nodes_) add(::operator new(kBytes));
  }

 private:
  static constexpr size_t kBytes = 64;
  struct Free {
    Free* next;
  };

  void add(void* node) { free_ = ::new (node) Free{free_}; }

  void* do_allocate(size_t bytes, size_t) override {
    if (bytes > kBytes) throw std::bad_alloc();
    if (free_ == nullptr) reserve(nodes_ + 1);
    void* const node = free_;
    free_ = free_->next;
    return node;
  }
  void do_deallocate(void* node, size_t, size_t) override { add(node); }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  size_t nodes_ = 0;
  Free* free_ = nullptr;
};

}  // namespace lrcn
