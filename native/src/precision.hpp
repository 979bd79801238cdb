#pragma once

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

namespace lrcn {

/// Whether oneDNN computes in bfloat16 on this processor: it needs AVX-512, with or without its bfloat16 instructions.
inline bool onednn_has_bfloat16() {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

/// bfloat16 autocast in a scope; restores the former settings.
class Autocast {
 public:
  Autocast(at::DeviceType device, bool enabled)
      : device_(device),
        was_enabled_(at::autocast::is_autocast_enabled(device)),
        former_dtype_(at::autocast::get_autocast_dtype(device)) {
    at::autocast::set_autocast_enabled(device, enabled);
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
    at::autocast::increment_nesting();
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
  ~Autocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_dtype(device_, former_dtype_);
    at::autocast::set_autocast_enabled(device_, was_enabled_);
  }

 private:
  at::DeviceType device_;
  bool was_enabled_;
  at::ScalarType former_dtype_;
};

}  // namespace lrcn
