#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "lrcn.h"

namespace lrcn {

/// An error with the status code that the caller gets.
class Error : public std::runtime_error {
 public:
  Error(lrcn_status status, const std::string& message) : std::runtime_error(message), status_(status) {}
  lrcn_status status() const noexcept { return status_; }

 private:
  lrcn_status status_;
};

inline void require(bool condition, const std::string& message) {
  if (!condition) throw Error(LRCN_INVALID_ARGUMENT, message);
}

}  // namespace lrcn
