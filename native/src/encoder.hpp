#pragma once

#include <ATen/ATen.h>

#include <array>
#include <limits>
#include <memory>

#include "cancellation.hpp"
#include "conv_norm.hpp"
#include "lrcn.h"
#include "parameters.hpp"

namespace lrcn {

/// What an encoder subtracts from a pixel's colors, scaled to 0..1, and then divides them by.
struct Normalization {
  std::array<double, 3> mean, deviation;
};

/// A convolutional network that was trained to classify images, with a layer of ours in place of its classifier.
class Encoder {
 public:
  /// Which stages train, and how.
  struct Training {
    int32_t from = std::numeric_limits<int32_t>::max();  // the first stage that trains
    bool batch_statistics = false;  // whether their BatchNorm normalizes by the batch and updates the running statistics
    Group* group = nullptr;         // the ranks whose batches that are, unless it is this process's alone
  };

  virtual ~Encoder() = default;

  virtual const Normalization& normalization() const = 0;

  /// How many stages there are. Training may start from any of them, in the order of the layers.
  virtual int32_t stages() const = 0;

  /// The activations of the last convolution. images: [n, 3, height, width], normalized. Returns
  /// [n, feature size, height / 32, width / 32], rounded up.
  at::Tensor feature_map(const at::Tensor& images, const Training& training, const CancelPoint& cancel) const;

  /// The mean over all places of a feature map: [n, feature size].
  static at::Tensor pool(const at::Tensor& feature_map);
  at::Tensor features(const at::Tensor& images, const Training& training, const CancelPoint& cancel) const {
    return pool(feature_map(images, training, cancel));
  }

  /// Our last layer, which always trains. features: [n, feature size]. Returns [n, outputs].
  at::Tensor project(const at::Tensor& features) const;

  int64_t feature_size() const { return fc_weight_.size(1); }

 protected:
  virtual at::Tensor run_stage(int32_t stage, at::Tensor x, const NormMode& mode, const CancelPoint& cancel) const = 0;

  at::Tensor fc_weight_, fc_bias_;
};

/// The encoder that the options name. outputs: the width of its last layer.
std::unique_ptr<const Encoder> make_encoder(Parameters& parameters, const lrcn_engine_options& options, int64_t outputs);

}  // namespace lrcn
