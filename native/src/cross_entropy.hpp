#pragma once

#include <ATen/ATen.h>

namespace lrcn {

/// What no prediction is compared with.
constexpr int64_t kNoTarget = -100;

/// The cross-entropy of each row of logits [n, vocabulary] with its target, int64 [n], in nats; 0 where that is kNoTarget.
/// label_smoothing is the share of a target that is spread over the vocabulary (Szegedy et al. 2016).
///
/// As at::cross_entropy_loss, but the gradient is made in the logits' own memory, so that they must not be used
/// afterwards: apart they are three times the widest layer's output, at the moment when all else of a step is there too.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets, double label_smoothing);

}  // namespace lrcn
