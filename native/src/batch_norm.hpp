#pragma once

#include <ATen/ATen.h>

namespace lrcn {

class Group;

/// The tensors of a batch normalization, each [channels].
struct NormTensors {
  at::Tensor weight, bias, running_mean, running_var;
};

enum class Activation { kNone, kRelu, kRelu6 };

/// Options of a batch normalization.
struct NormOptions {
  double momentum, epsilon;
  bool batch_statistics;  // which update the running ones
  Activation activation;
  Group* group;  // with batch statistics, the ranks whose batches they are of; null for this one's alone
};

/// Batch normalization, plus the shortcut if given, then the activation: [n, channels, h, w].
///
/// On the CPU these are one operation in channels_last, also in the backward pass. Separately they take a sixth of a
/// training step, nearly all of it memory traffic.
at::Tensor batch_norm(const at::Tensor& x, const NormTensors& tensors, const at::Tensor& shortcut,
                      const NormOptions& options);

/// An activation alone, in place. NaN stays.
at::Tensor activate_(at::Tensor x, Activation activation);

}  // namespace lrcn
