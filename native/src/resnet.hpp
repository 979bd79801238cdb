#pragma once

#include <ATen/ATen.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "batch_norm.hpp"
#include "cancellation.hpp"
#include "group.hpp"
#include "parameters.hpp"

namespace lrcn {

/// He et al. 2015 with torchvision's names and layout (the stride is on the 3x3 convolution, "v1.5").
class ResNet {
 public:
  ResNet(Parameters& parameters, int64_t width, const std::array<int32_t, 4>& blocks, int64_t outputs);

  /// What of it learns: stage 0 is what stands before layer1, stages 1 to 4 are layer1 to layer4.
  struct Learning {
    int32_t from = kStages;         // the first stage that learns
    bool batch_norm = false;  // whether its BatchNorm normalizes by the batch and moves the running statistics
    Group* group = nullptr;         // whose batches that is, where not this process's alone
  };
  static constexpr int32_t kStages = 5;

  /// What the last convolution gives. images: [n, 3, height, width], normalized. Returns [n, 32 width, height / 32,
  /// width / 32], rounded up.
  at::Tensor grid(const at::Tensor& images, const Learning& learning, const CancelPoint& cancel) const;

  /// Its mean over all places: what the last layer reads, [n, 32 width].
  static at::Tensor average(const at::Tensor& grid);
  at::Tensor pool(const at::Tensor& images, const Learning& learning, const CancelPoint& cancel) const {
    return average(grid(images, learning, cancel));
  }

  /// pooled: what pool() gives. Returns [n, outputs].
  at::Tensor project(const at::Tensor& pooled) const;

  /// Elements of what the last layer reads of one image.
  int64_t feature_size() const { return fc_weight_.size(1); }

 private:
  /// What BatchNorm normalizes by.
  struct Statistics {
    bool of_batch;
    Group* group;
  };

  struct BatchNorm {
    NormTensors tensors;
    at::Tensor num_batches_tracked;
    BatchNorm(Parameters& parameters, const std::string& name, int64_t channels);
    /// What is normalized, plus the shortcut where there is one, through a ReLU where that is wanted.
    at::Tensor operator()(const at::Tensor& x, const Statistics& statistics, bool relu,
                          const at::Tensor& shortcut = {}) const;
  };

  struct Bottleneck {
    at::Tensor conv1;
    BatchNorm bn1;
    at::Tensor conv2;
    BatchNorm bn2;
    at::Tensor conv3;
    BatchNorm bn3;
    at::Tensor shortcut;  // undefined where the input is added as it is
    std::optional<BatchNorm> shortcut_bn;
    int64_t stride;
    Bottleneck(Parameters& parameters, const std::string& name, int64_t inputs, int64_t width, int64_t stride,
               bool project);
    at::Tensor operator()(const at::Tensor& x, const Statistics& statistics) const;
  };

  at::Tensor conv1_;
  BatchNorm bn1_;
  std::array<std::vector<Bottleneck>, kStages - 1> layers_;
  at::Tensor fc_weight_, fc_bias_;
};

}  // namespace lrcn
