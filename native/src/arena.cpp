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

/// Has the kernel give the memory now. It counts as used only what was written to: room for the next block would be seen
/// where this one still comes to lie, and a process that uses what was promised twice is killed.
void touch(char* place, size_t bytes) {
  constexpr size_t kPage = 4096;
  for (size_t offset = 0; offset < bytes; offset += kPage) static_cast<volatile char*>(place)[offset] = 0;
}

}  // namespace

/// Addresses for all the memory that the machine has; they cost nothing until they are used.
bool Arena::reserve() {
  if (begin_ != nullptr) return true;
  const auto memory = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  // Less where the process may not have so many addresses.
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
  give_back(top_ - bytes, bytes);
  return true;
}

void* Arena::take(size_t bytes) {
  auto fit = free_by_size_.lower_bound({bytes, nullptr});
  if (fit == free_by_size_.end()) {
    if (!reserve()) return nullptr;
    const auto last = free_.empty() ? free_.end() : std::prev(free_.end());
    const bool reaches_top = last != free_.end() && last->first + last->second == top_;
    if (!grow(bytes - (reaches_top ? last->second : 0))) return nullptr;
    fit = free_by_size_.lower_bound({bytes, nullptr});
  }
  const auto [size, place] = *fit;
  remove_free(free_.find(place));
  if (size > bytes) add_free(place + bytes, size - bytes);
  return place;
}

void Arena::give_back(void* block, size_t bytes) {
  char* place = static_cast<char*>(block);
  if (const auto after = free_.find(place + bytes); after != free_.end()) {
    bytes += after->second;
    remove_free(after);
  }
  if (auto before = free_.lower_bound(place); before != free_.begin()) {
    --before;
    if (before->first + before->second == place) {
      place = before->first;
      bytes += before->second;
      remove_free(before);
    }
  }
  add_free(place, bytes);
}

void Arena::trim() {
  if (free_.empty()) return;
  const auto last = std::prev(free_.end());
  const auto [place, bytes] = *last;
  if (place + bytes != top_) return;
  const size_t kept = round_up(static_cast<size_t>(place - begin_), kHugePage);
  if (begin_ + kept >= top_) return;
  remove_free(last);
  char* const top = begin_ + kept;
  madvise(top, static_cast<size_t>(top_ - top), MADV_DONTNEED);
  mprotect(top, static_cast<size_t>(top_ - top), PROT_NONE);
  top_ = top;
  if (place < top_) add_free(place, static_cast<size_t>(top_ - place));
}

void Arena::add_free(char* place, size_t bytes) {
  free_.emplace(place, bytes);
  free_by_size_.emplace(bytes, place);
}

void Arena::remove_free(std::map<char*, size_t>::iterator found) {
  free_by_size_.erase({found->second, found->first});
  free_.erase(found);
}

}  // namespace lrcn
