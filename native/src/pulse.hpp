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

/// Heartbeats that find out which rank is missing.
///
/// Gloo and NCCL only report that something failed, and not on all ranks: those that were not waiting for the missing
/// rank itself wait until their neighbors fail. So each rank has a thread that writes a line into the store twice a
/// second and reads those of all. As soon as one rank has failed, all find out who is missing while the store is there.
class Pulse {
 public:
  struct Place {
    int32_t rank, size;
    bool keeps_store;  // whether this process hosts the store
    std::string keeper;  // who hosts the store, for messages
  };
  using Connect = std::function<c10::intrusive_ptr<c10d::Store>()>;

  /// connect: opens a connection for the thread alone, so that it never waits for other calls.
  Pulse(const Place& place, const Connect& connect);
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;
  ~Pulse();

  /// Counts a collective that this rank starts.
  void arrive();
  /// Publishes why this rank ends; waits at most a few seconds until the others know.
  void leave(const std::string& reason);
  /// Publishes that this rank cannot continue, and returns the missing ranks; empty if unknown.
  std::string find_missing();

 private:
  struct Shared;
  static void beat(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;  // the thread may be stuck with a store that is gone
};

}  // namespace lrcn
