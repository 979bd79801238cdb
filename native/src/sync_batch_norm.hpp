#pragma once

#include <ATen/ATen.h>

#include "batch_norm.hpp"

namespace lrcn {

/// Batch normalization by the statistics of all batches of options.group, by libtorch's kernels, which only GPUs have.
at::Tensor sync_batch_norm(const at::Tensor& x, const NormTensors& tensors, const NormOptions& options);

}  // namespace lrcn
