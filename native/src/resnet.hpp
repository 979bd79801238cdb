#pragma once

#include <ATen/ATen.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "conv_norm.hpp"
#include "encoder.hpp"

namespace lrcn {

/// Two 3x3 convolutions and a shortcut: the block of ResNet-18 and 34.
class BasicBlock {
 public:
  static constexpr int64_t kExpansion = 1;

  BasicBlock(Parameters& parameters, const std::string& name, int64_t inputs, int64_t width, int64_t stride);
  at::Tensor operator()(const at::Tensor& x, const NormMode& mode) const;

 private:
  ConvNorm conv1_, conv2_;
  std::optional<ConvNorm> shortcut_;  // none if the input is added unchanged
};

/// 1x1, 3x3 and 1x1 convolutions and a shortcut, with the stride on the 3x3 one ("v1.5"): the block of ResNet-50 and
/// deeper ones.
class Bottleneck {
 public:
  static constexpr int64_t kExpansion = 4;

  Bottleneck(Parameters& parameters, const std::string& name, int64_t inputs, int64_t width, int64_t stride);
  at::Tensor operator()(const at::Tensor& x, const NormMode& mode) const;

 private:
  ConvNorm conv1_, conv2_, conv3_;
  std::optional<ConvNorm> shortcut_;
};

/// He et al. 2015, https://arxiv.org/abs/1512.03385, with torchvision's names and layout. Stage 0 is everything before
/// layer1, stages 1 to 4 are layer1 to layer4.
template <class Block>
class ResNet : public Encoder {
 public:
  using Blocks = std::array<int32_t, 4>;  // of each layer

  ResNet(Parameters& parameters, int64_t width, const Blocks& blocks, int64_t outputs);

  const Normalization& normalization() const override;
  int32_t stages() const override { return 5; }

 protected:
  at::Tensor run_stage(int32_t stage, at::Tensor x, const NormMode& mode) const override;

 private:
  ConvNorm stem_;
  std::array<std::vector<Block>, 4> layers_;
};

extern template class ResNet<BasicBlock>;
extern template class ResNet<Bottleneck>;

}  // namespace lrcn
