#pragma once

#include <ATen/ATen.h>

#include "captioner.hpp"

namespace lrcn {

/// Captions being written: for each row, the image it belongs to and the LSTM's state.
class Decoder {
 public:
  /// features: [images, feature].
  Decoder(Captioner captioner, at::Tensor features);

  /// Rows of the last step, or images before the first.
  int64_t rows() const { return features_.size(0); }
  bool expects_image() const { return !begun_ && !captioner_.feature_every_step(); }

  /// parents, words: int32 [rows]; words is undefined for the image's step. Returns the k best words and their natural
  /// log-probabilities, each [rows, k].
  std::pair<at::Tensor, at::Tensor> step(const at::Tensor& parents, const at::Tensor& words, int64_t k);

 private:
  Captioner captioner_;
  at::Tensor features_;  // [rows, feature]
  Captioner::State state_;
  bool begun_ = false;
};

}  // namespace lrcn
