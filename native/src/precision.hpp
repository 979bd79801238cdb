#pragma once

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>

#include <array>
#include <mutex>

#include "error.hpp"

namespace lrcn {

/// Whether oneDNN computes in bfloat16 on this processor: it needs AVX-512, with or without its bfloat16 instructions.
inline bool onednn_has_bfloat16() {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

/// bfloat16 autocast in a scope, if enabled; restores the former settings.
class Autocast {
 public:
  Autocast(at::DeviceType device, bool enabled) : device_(device), enabled_(enabled) {
    if (!enabled_) return;
    was_enabled_ = at::autocast::is_autocast_enabled(device);
    former_dtype_ = at::autocast::get_autocast_dtype(device);
    at::autocast::set_autocast_enabled(device, true);
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
    at::autocast::increment_nesting();
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
  ~Autocast() {
    if (!enabled_) return;
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_dtype(device_, former_dtype_);
    at::autocast::set_autocast_enabled(device_, was_enabled_);
  }

 private:
  at::DeviceType device_;
  bool enabled_, was_enabled_ = false;
  at::ScalarType former_dtype_{};
};

/// Gives float32 one meaning on GPUs, for convolutions, LSTMs and products alike: libtorch keeps it for the process, so
/// engines that are open at once must agree on it.
class TensorFloat32 {
 public:
  TensorFloat32(const at::Device& device, bool strict) : owned_(!device.is_cpu()), strict_(strict) {
    if (!owned_) return;
    const std::lock_guard lock(mutex_);
    require(engines_[!strict_] == 0, "an engine on a GPU computes float32 in the other way: fp32 and fp32-strict "
                                     "cannot be open at once");
    ++engines_[strict_];
    at::globalContext().setAllowTF32CuDNN(!strict);
    at::globalContext().setAllowTF32CuBLAS(!strict);
  }
  TensorFloat32(const TensorFloat32&) = delete;
  TensorFloat32& operator=(const TensorFloat32&) = delete;
  ~TensorFloat32() {
    if (!owned_) return;
    const std::lock_guard lock(mutex_);
    --engines_[strict_];
  }

 private:
  static inline std::mutex mutex_;
  static inline std::array<int, 2> engines_{};  // open on GPUs, not strict and strict
  bool owned_, strict_;
};

}  // namespace lrcn
