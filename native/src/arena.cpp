#include "arena.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace lrcn {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

size_t round_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

/// Makes the kernel back the memory now. The kernel counts only touched pages as used: otherwise two blocks could be
/// promised the same memory, and the process would be killed.
void touch(char* block_begin, size_t bytes) {
  constexpr size_t kPage = 4096;
  for (size_t offset = 0; offset < bytes; offset += kPage) static_cast<volatile char*>(block_begin)[offset] = 0;
}

}  // namespace

/// Addresses for all of the machine's memory; they cost nothing until used.
bool Arena::reserve() {
  if (begin_ != nullptr) return true;
  const auto memory = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  // Fewer if the process's address space is limited.
  for (size_t bytes = memory; bytes >= kHugePage * 2; bytes /= 2) {
    void* const found = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (found == MAP_FAILED) continue;
    const auto address = reinterpret_cast<uintptr_t>(found);
    begin_ = top_ = static_cast<char*>(found) + (round_up(address, kHugePage) - address);
    end_ = begin_ + (bytes - kHugePage) / kHugePage * kHugePage;
    return true;
  }
  return false;
}

bool Arena::grow(size_t bytes) {
  bytes = round_up(bytes, kHugePage);
  if (bytes > static_cast<size_t>(end_ - top_) || !has_room_(bytes)) return false;
  if (mprotect(top_, bytes, PROT_READ | PROT_WRITE) != 0) return false;
  madvise(top_, bytes, MADV_HUGEPAGE);
  touch(top_, bytes);
  top_ += bytes;
  add_range(top_ - bytes, bytes);
  return true;
}

void* Arena::take(size_t bytes) {
  // Taken blocks separate at most one more free range, each with a node in both maps; this one may add a range.
  nodes_.reserve(2 * (taken_ + 2));
  auto fit = free_by_size_.lower_bound({bytes, nullptr});
  if (fit == free_by_size_.end()) {
    if (!reserve()) return nullptr;
    const auto last = free_.empty() ? free_.end() : std::prev(free_.end());
    const bool reaches_top = last != free_.end() && last->first + last->second == top_;
    if (!grow(bytes - (reaches_top ? last->second : 0))) return nullptr;
    fit = free_by_size_.lower_bound({bytes, nullptr});
  }
  const auto [size, block_begin] = *fit;
  remove_free(free_.find(block_begin));
  if (size > bytes) add_free(block_begin + bytes, size - bytes);
  ++taken_;
  return block_begin;
}

void Arena::give_back(void* block, size_t bytes) noexcept {
  --taken_;
  add_range(static_cast<char*>(block), bytes);
}

void Arena::add_range(char* block_begin, size_t bytes) {
  if (const auto after = free_.find(block_begin + bytes); after != free_.end()) {
    bytes += after->second;
    remove_free(after);
  }
  if (auto before = free_.lower_bound(block_begin); before != free_.begin()) {
    --before;
    if (before->first + before->second == block_begin) {
      block_begin = before->first;
      bytes += before->second;
      remove_free(before);
    }
  }
  add_free(block_begin, bytes);
}

void Arena::trim() {
  if (free_.empty()) return;
  const auto last = std::prev(free_.end());
  const auto [block_begin, bytes] = *last;
  if (block_begin + bytes != top_) return;
  const size_t kept = round_up(static_cast<size_t>(block_begin - begin_), kHugePage);
  if (begin_ + kept >= top_) return;
  remove_free(last);
  char* const top = begin_ + kept;
  madvise(top, static_cast<size_t>(top_ - top), MADV_DONTNEED);
  mprotect(top, static_cast<size_t>(top_ - top), PROT_NONE);
  top_ = top;
  if (block_begin < top_) add_free(block_begin, static_cast<size_t>(top_ - block_begin));
}

void Arena::add_free(char* block_begin, size_t bytes) {
  free_.emplace(block_begin, bytes);
  free_by_size_.emplace(bytes, block_begin);
}

void Arena::remove_free(std::pmr::map<char*, size_t>::iterator found) {
  free_by_size_.erase({found->second, found->first});
  free_.erase(found);
}

}  // namespace lrcn
