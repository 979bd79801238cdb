#include "resnet.hpp"

#include "max_pool.hpp"

namespace lrcn {
namespace {

constexpr ConvNormStyle kStyle{Padding::kSymmetric, /*momentum=*/0.1, /*epsilon=*/1e-5};
constexpr Normalization kImageNet{{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};

/// A block's convolution and BatchNorm of this number.
ConvNorm numbered(Parameters& parameters, const std::string& block, int number, const ConvShape& shape) {
  const auto n = std::to_string(number);
  return {parameters, block + ".conv" + n, block + ".bn" + n, shape, kStyle};
}

/// The 1x1 convolution of a shortcut between different shapes.
std::optional<ConvNorm> projection(Parameters& parameters, const std::string& block, int64_t inputs, int64_t outputs,
                                   int64_t stride) {
  if (inputs == outputs && stride == 1) return std::nullopt;
  const ConvShape shape{inputs, outputs, /*kernel=*/1, stride};
  return ConvNorm(parameters, block + ".downsample.0", block + ".downsample.1", shape, kStyle);
}

at::Tensor take(const std::optional<ConvNorm>& shortcut, const at::Tensor& x, const NormMode& mode) {
  return shortcut ? (*shortcut)(x, mode, Activation::kNone) : x;
}

}  // namespace

BasicBlock::BasicBlock(Parameters& parameters, const std::string& name, int64_t inputs, int64_t width, int64_t stride)
    : conv1_(numbered(parameters, name, 1, {inputs, width, 3, stride})),
      conv2_(numbered(parameters, name, 2, {width, width, 3})),
      shortcut_(projection(parameters, name, inputs, width, stride)) {}

at::Tensor BasicBlock::operator()(const at::Tensor& x, const NormMode& mode) const {
  const auto out = conv1_(x, mode, Activation::kRelu);
  return conv2_(out, mode, Activation::kRelu, take(shortcut_, x, mode));
}

Bottleneck::Bottleneck(Parameters& parameters, const std::string& name, int64_t inputs, int64_t width, int64_t stride)
    : conv1_(numbered(parameters, name, 1, {inputs, width, 1})),
      conv2_(numbered(parameters, name, 2, {width, width, 3, stride})),
      conv3_(numbered(parameters, name, 3, {width, kExpansion * width, 1})),
      shortcut_(projection(parameters, name, inputs, kExpansion * width, stride)) {}

at::Tensor Bottleneck::operator()(const at::Tensor& x, const NormMode& mode) const {
  auto out = conv1_(x, mode, Activation::kRelu);
  out = conv2_(out, mode, Activation::kRelu);
  return conv3_(out, mode, Activation::kRelu, take(shortcut_, x, mode));
}

template <class Block>
ResNet<Block>::ResNet(Parameters& parameters, int64_t width, const Blocks& blocks, int64_t outputs)
    : stem_(parameters.in_stage(0), "resnet.conv1", "resnet.bn1", {3, width, /*kernel=*/7, /*stride=*/2}, kStyle) {
  int64_t inputs = width;
  for (size_t layer = 0; layer < blocks.size(); ++layer) {
    parameters.in_stage(static_cast<int32_t>(layer) + 1);
    const int64_t planes = width << layer;
    for (int32_t block = 0; block < blocks[layer]; ++block) {
      const auto name = "resnet.layer" + std::to_string(layer + 1) + "." + std::to_string(block);
      layers_[layer].emplace_back(parameters, name, inputs, planes, /*stride=*/block == 0 && layer > 0 ? 2 : 1);
      inputs = Block::kExpansion * planes;
    }
  }
  std::tie(fc_weight_, fc_bias_) = parameters.in_no_stage().linear("resnet.fc", inputs, outputs);
}

template <class Block>
const Normalization& ResNet<Block>::normalization() const {
  return kImageNet;
}

template <class Block>
at::Tensor ResNet<Block>::run_stage(int32_t stage, at::Tensor x, const NormMode& mode) const {
  if (stage == 0) return max_pool(stem_(x, mode, Activation::kRelu));
  for (const auto& block : layers_[static_cast<size_t>(stage - 1)]) {
    x = block(x, mode);
  }
  return x;
}

template class ResNet<BasicBlock>;
template class ResNet<Bottleneck>;

}  // namespace lrcn
