#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <c10/util/intrusive_ptr.h>

namespace c10d {
class Store;
}

namespace lrcn {

/// Tells ranks which of them is missing when they cannot go on.
///
/// Gloo and NCCL only say that something failed, and not to all ranks: those that were not waiting for the missing one
/// itself wait until their neighbors are gone too. So each rank has a thread that writes a line into the store twice a
/// second, and reads those of all: whether a rank still lives is told by that, and not by who noticed a failure. As soon as
/// one has, all find out who is missing while the store is there.
class Pulse {
 public:
  struct Place {
    int32_t rank, size;
    bool keeps_store;  // whether the store goes when this process does
    std::string keeper;  // who keeps the store, for messages
  };
  using Connect = std::function<c10::intrusive_ptr<c10d::Store>()>;

  /// connect: opens a connection of the thread's own, so that it never waits for another's answer.
  Pulse(const Place& place, const Connect& connect);
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;
  ~Pulse();

  /// Counts that this rank begins something for which it needs the others.
  void arrive();
  /// Says why this rank ends; waits, a few seconds at most, until the others know where they would not otherwise.
  void leave(const std::string& reason);
  /// Says that this rank cannot go on, and finds out which one is missing, empty where that cannot be known.
  std::string find_missing();

 private:
  struct Shared;
  static void beat(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;  // the thread may be stuck with a store that is gone
};

}  // namespace lrcn
