#pragma once

#include <ATen/ATen.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "conv_norm.hpp"
#include "encoder.hpp"

namespace lrcn {

/// EfficientNet-Lite, TensorFlow's variant of EfficientNet (Tan and Le 2019, https://arxiv.org/abs/1905.11946): no
/// squeeze-and-excitation, ReLU6, and in all sizes the same width of stem and head and the same repeats of the first and
/// last stage. Tensors have the names of the Python package efficientnet-lite-pytorch.
///
/// Stage 0 is the stem, stages 1 to 7 are the paper's stages of MBConv blocks, stage 8 is the head.
class EfficientNetLite : public Encoder {
 public:
  using Repeats = std::array<int32_t, 7>;  // of the MBConv block in each stage

  /// width: the coefficient that scales the stages' channels, 1 in Lite0.
  EfficientNetLite(Parameters& parameters, double width, const Repeats& repeats, int64_t outputs);

  const Normalization& normalization() const override;
  int32_t stages() const override { return static_cast<int32_t>(blocks_.size()) + 2; }

 protected:
  at::Tensor run_stage(int32_t stage, at::Tensor x, const NormMode& mode) const override;

 private:
  /// An inverted residual (Sandler et al. 2018): 1x1 to more channels, depthwise, and 1x1 to few without activation.
  struct MBConv {
    struct Shape {
      int64_t inputs, outputs, expansion, kernel, stride;
    };
    std::optional<ConvNorm> expand;
    ConvNorm depthwise, project;
    bool residual;
    MBConv(Parameters& parameters, const std::string& name, const Shape& shape);
    at::Tensor operator()(const at::Tensor& x, const NormMode& mode) const;
  };

  ConvNorm stem_;
  std::array<std::vector<MBConv>, 7> blocks_;
  std::optional<ConvNorm> head_;  // created last, so that parameters are in the order of the layers
};

}  // namespace lrcn
