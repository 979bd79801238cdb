#pragma once

#include <c10/util/Exception.h>

#include <cstring>
#include <new>
#include <string_view>

#include "error.hpp"

namespace lrcn {

/// Copies one line of text, cut at a UTF-8 character, with a final NUL.
inline void write_message(char* message, int32_t capacity, std::string_view text) noexcept {
  if (message == nullptr || capacity <= 0) return;
  text = text.substr(0, text.find('\n'));
  auto length = text.size();
  if (length >= static_cast<size_t>(capacity)) {
    length = static_cast<size_t>(capacity) - 1;
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  }
  std::memcpy(message, text.data(), length);
  message[length] = '\0';
}

/// Runs the body of an export; exceptions become a status and a message.
template <class Body>
int32_t guard(char* message, int32_t capacity, Body&& body) noexcept {
  const auto fail = [&](lrcn_status status, const char* text) noexcept -> int32_t {
    write_message(message, capacity, text);
    return status;
  };
  const auto fail_outside = [&](const char* text) noexcept {
    return fail(is_out_of_memory(text) ? LRCN_OUT_OF_MEMORY : LRCN_INTERNAL, text);
  };
  try {
    body();
    return LRCN_OK;
  } catch (const Error& error) {
    return fail(error.status(), error.what());
  } catch (const c10::OutOfMemoryError& error) {
    return fail(LRCN_OUT_OF_MEMORY, error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return fail(LRCN_OUT_OF_MEMORY, "no memory is left");
  } catch (const c10::Error& error) {
    return fail_outside(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return fail_outside(error.what());
  } catch (...) {
    return fail(LRCN_INTERNAL, "an unknown exception");
  }
}

}  // namespace lrcn
