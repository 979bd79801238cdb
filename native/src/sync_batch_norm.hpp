#pragma once

#include <ATen/ATen.h>

#include "batch_norm.hpp"
#include "group.hpp"

namespace lrcn {

/// batch_norm(x) whose statistics are those of all ranks' batches, for autograd too.
///
/// By plain operations, on any device: it costs more than the fused one, and a word with the other ranks twice.
at::Tensor sync_batch_norm(const at::Tensor& x, const NormTensors& tensors, const at::Tensor& shortcut,
                             const NormOptions& options, Group& group);

}  // namespace lrcn
