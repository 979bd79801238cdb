#pragma once

#include <ATen/ATen.h>

#include <array>
#include <limits>
#include <memory>

#include "conv_norm.hpp"
#include "lrcn.h"
#include "parameters.hpp"

namespace lrcn {

/// Mean and standard deviation that normalize a pixel's colors, scaled to 0..1.
struct Normalization {
  std::array<double, 3> mean, deviation;
};

/// A convolutional network for image classification, with a linear layer of ours instead of its classifier.
class Encoder {
 public:
  /// The trainable stages, and their BatchNorm.
  struct Training {
    int32_t from = std::numeric_limits<int32_t>::max();  // the first trainable stage
    bool batch_statistics = false;  // batch statistics, which update the running ones; else the running ones
    Group* group = nullptr;         // the ranks to synchronize the statistics over, or null
  };

  virtual ~Encoder() = default;

  virtual const Normalization& normalization() const = 0;

  /// Number of stages, in the order of the layers. Each can be the first trainable one.
  virtual int32_t stages() const = 0;

  /// The output of the last convolution. images: [n, 3, height, width], normalized. Returns
  /// [n, feature size, height / 32, width / 32], rounded up.
  at::Tensor feature_map(const at::Tensor& images, const Training& training) const;

  /// The spatial mean of a feature map: [n, feature size].
  static at::Tensor pool(const at::Tensor& feature_map);
  at::Tensor features(const at::Tensor& images, const Training& training) const {
    return pool(feature_map(images, training));
  }

  /// Our last layer, which is always trainable. features: [n, feature size]. Returns [n, outputs].
  at::Tensor project(const at::Tensor& features) const;

  int64_t feature_size() const { return fc_weight_.size(1); }

 protected:
  virtual at::Tensor run_stage(int32_t stage, at::Tensor x, const NormMode& mode) const = 0;

  at::Tensor fc_weight_, fc_bias_;
};

/// Creates the encoder of the options. outputs: the size of its last layer.
std::unique_ptr<const Encoder> make_encoder(Parameters& parameters, const lrcn_engine_options& options, int64_t outputs);

}  // namespace lrcn
