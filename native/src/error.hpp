#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "lrcn.h"

namespace lrcn {

/// An error with a status code for the caller.
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

/// Whether a message of libtorch or of a library below it (CUDA's, oneDNN) reports a lack of memory; few of these
/// errors have an exception class.
inline bool is_out_of_memory(std::string_view text) {
  constexpr std::array<std::string_view, 6> kPhrases{
      "out of memory",         "_STATUS_ALLOC_FAILED", "_ALLOCATION_FAILED",
      "can't allocate memory", "out_of_memory",        "could not create a memory object"};
  return std::any_of(kPhrases.begin(), kPhrases.end(),
                     [&](std::string_view phrase) { return text.find(phrase) != std::string_view::npos; });
}

}  // namespace lrcn
