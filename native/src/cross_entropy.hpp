#pragma once

#include <ATen/ATen.h>

namespace lrcn {

/// The target of positions without one.
constexpr int64_t kNoTarget = -100;

/// The cross-entropy of each row of logits [n, vocabulary] with its target, int64 [n], in nats; 0 if that is kNoTarget.
/// label_smoothing is the probability that is spread over the vocabulary (Szegedy et al. 2016).
///
/// As at::cross_entropy_loss, but the gradient overwrites the logits, which must not be used afterwards: otherwise
/// three copies of the widest layer's output would exist at a step's peak of memory.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets, double label_smoothing);

}  // namespace lrcn
