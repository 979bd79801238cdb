#pragma once

#include <atomic>
#include <cstdint>

#include "error.hpp"

namespace lrcn {

/// Counts cancellations; a call that started before one of them ends at its next check.
class Cancellation {
 public:
  void request() noexcept { ++requests_; }
  uint64_t requests() const noexcept { return requests_.load(); }

 private:
  std::atomic<uint64_t> requests_ = 0;
};

/// One call's view of the cancellations.
class CancelPoint {
 public:
  explicit CancelPoint(const Cancellation& cancellation)
      : cancellation_(cancellation), begun_(cancellation.requests()) {}
  void check() const {
    if (cancellation_.requests() != begun_) throw Error(LRCN_CANCELLED, "Cancelled");
  }

 private:
  const Cancellation& cancellation_;
  uint64_t begun_;
};

}  // namespace lrcn
