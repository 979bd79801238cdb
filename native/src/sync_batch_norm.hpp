#pragma once

#include <ATen/ATen.h>

#include "batch_norm.hpp"
#include "group.hpp"

namespace lrcn {

/// Synchronized batch normalization: statistics over all ranks' batches, also in the backward pass.
///
/// Built of plain operations for any device: slower than the fused one, and with two collectives.
at::Tensor sync_batch_norm(const at::Tensor& x, const NormTensors& tensors, const at::Tensor& shortcut,
                             const NormOptions& options, Group& group);

}  // namespace lrcn
