#pragma once

#include <ATen/ATen.h>

#include "captioner.hpp"

namespace lrcn {

/// Captions being decoded: for each row, its image's feature and the LSTM's state.
class Decoder {
 public:
  /// features: [images, feature].
  Decoder(Captioner captioner, at::Tensor features);

  /// Rows of the previous step, or images before the first.
  int64_t rows() const { return features_.size(0); }
  bool expects_image() const { return !begun_ && !captioner_.feature_every_step(); }

  /// A step that has been computed: the k best tokens and their log-probabilities, each [rows, k], and what follows.
  struct Step {
    at::Tensor tokens, log_probabilities, features;
    Captioner::State state;
  };
  /// parents, tokens: int32 [rows]; tokens is undefined for the image's step.
  Step step(const at::Tensor& parents, const at::Tensor& tokens, int64_t k) const;
  /// Makes a step the previous one.
  void advance(Step step);

 private:
  Captioner captioner_;
  at::Tensor features_;  // [rows, feature]
  Captioner::State state_;
  bool begun_ = false;
};

}  // namespace lrcn
