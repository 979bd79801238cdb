#include "efficientnet_lite.hpp"

namespace lrcn {
namespace {

constexpr ConvNormStyle kStyle{Padding::kSame, /*momentum=*/0.01, /*epsilon=*/1e-3};
/// (x - 127) / 128 of a color of 0..255.
constexpr double kMean = 127.0 / 255, kDeviation = 128.0 / 255;
constexpr Normalization kNormalization{{kMean, kMean, kMean}, {kDeviation, kDeviation, kDeviation}};
constexpr int64_t kStemChannels = 32, kHeadChannels = 1280;

/// The paper's table 1. The stride is the first block's; the others have 1.
struct Stage {
  int64_t expansion, channels, kernel, stride;
};
constexpr std::array<Stage, 7> kStages{{
    {1, 16, 3, 1},
    {6, 24, 3, 2},
    {6, 40, 5, 2},
    {6, 80, 3, 2},
    {6, 112, 5, 1},
    {6, 192, 5, 2},
    {6, 320, 3, 1},
}};

/// Channels times the width coefficient, rounded to a multiple of 8 of at least 90% of it.
int64_t scaled(int64_t channels, double width) {
  constexpr int64_t kDivisor = 8;
  const double exact = static_cast<double>(channels) * width;
  const int64_t nearest = static_cast<int64_t>(exact + kDivisor / 2.0) / kDivisor * kDivisor;
  const int64_t rounded = std::max(kDivisor, nearest);
  return static_cast<double>(rounded) < 0.9 * exact ? rounded + kDivisor : rounded;
}

std::optional<ConvNorm> expansion(Parameters& parameters, const std::string& block, int64_t inputs, int64_t wide) {
  if (wide == inputs) return std::nullopt;
  return ConvNorm(parameters, block + "._expand_conv", block + "._bn0", {inputs, wide, /*kernel=*/1}, kStyle);
}

}  // namespace

EfficientNetLite::MBConv::MBConv(Parameters& parameters, const std::string& name, const Shape& shape)
    : expand(expansion(parameters, name, shape.inputs, shape.expansion * shape.inputs)),
      depthwise(parameters, name + "._depthwise_conv", name + "._bn1",
                {shape.expansion * shape.inputs, shape.expansion * shape.inputs, shape.kernel, shape.stride,
                 /*depthwise=*/true},
                kStyle),
      project(parameters, name + "._project_conv", name + "._bn2",
              {shape.expansion * shape.inputs, shape.outputs, /*kernel=*/1}, kStyle),
      residual(shape.inputs == shape.outputs && shape.stride == 1) {}

at::Tensor EfficientNetLite::MBConv::operator()(const at::Tensor& x, const NormMode& mode) const {
  auto out = expand ? (*expand)(x, mode, Activation::kRelu6) : x;
  out = depthwise(out, mode, Activation::kRelu6);
  return project(out, mode, Activation::kNone, residual ? x : at::Tensor());
}

EfficientNetLite::EfficientNetLite(Parameters& parameters, double width, const Repeats& repeats, int64_t outputs)
    : stem_(parameters.in_stage(0), "efficientnet._conv_stem", "efficientnet._bn0",
            {3, kStemChannels, /*kernel=*/3, /*stride=*/2}, kStyle) {
  int64_t inputs = kStemChannels;
  int32_t number = 0;
  for (size_t stage = 0; stage < kStages.size(); ++stage) {
    parameters.in_stage(static_cast<int32_t>(stage) + 1);
    const auto& [expansion, unscaled, kernel, stride] = kStages[stage];
    const int64_t channels = scaled(unscaled, width);
    for (int32_t block = 0; block < repeats[stage]; ++block) {
      const auto name = "efficientnet._blocks." + std::to_string(number++);
      blocks_[stage].emplace_back(parameters, name,
                                  MBConv::Shape{inputs, channels, expansion, kernel, block == 0 ? stride : 1});
      inputs = channels;
    }
  }
  head_.emplace(parameters.in_stage(static_cast<int32_t>(kStages.size()) + 1), "efficientnet._conv_head",
                "efficientnet._bn1", ConvShape{inputs, kHeadChannels, /*kernel=*/1}, kStyle);
  std::tie(fc_weight_, fc_bias_) = parameters.in_no_stage().linear("efficientnet._fc", kHeadChannels, outputs);
}

const Normalization& EfficientNetLite::normalization() const { return kNormalization; }

at::Tensor EfficientNetLite::run_stage(int32_t stage, at::Tensor x, const NormMode& mode) const {
  if (stage == 0) return stem_(x, mode, Activation::kRelu6);
  if (stage == stages() - 1) return (*head_)(x, mode, Activation::kRelu6);
  for (const auto& block : blocks_[static_cast<size_t>(stage - 1)]) {
    x = block(x, mode);
  }
  return x;
}

}  // namespace lrcn
