#include "encoder.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "efficientnet_lite.hpp"
#include "error.hpp"
#include "resnet.hpp"

namespace lrcn {

at::Tensor Encoder::feature_map(const at::Tensor& images, const Training& training) const {
  auto x = images;
  for (int32_t stage = 0; stage < stages(); ++stage) {
    const bool trains = stage >= training.from;
    const at::AutoGradMode grad(at::GradMode::is_enabled() && trains);
    x = run_stage(stage, std::move(x), {trains && training.batch_statistics, training.group});
  }
  return x;
}

at::Tensor Encoder::pool(const at::Tensor& feature_map) {
  return at::adaptive_avg_pool2d(feature_map, {1, 1}).flatten(1);
}

at::Tensor Encoder::project(const at::Tensor& features) const { return at::linear(features, fc_weight_, fc_bias_); }

std::unique_ptr<const Encoder> make_encoder(Parameters& parameters, const lrcn_engine_options& options,
                                            int64_t outputs) {
  const auto blocks = [&]<size_t kCount>(std::array<int32_t, kCount> counts) {
    std::copy_n(std::begin(options.encoder_blocks), kCount, counts.begin());
    return counts;
  };
  switch (options.encoder) {
    case LRCN_RESNET_BASIC:
      return std::make_unique<ResNet<BasicBlock>>(parameters, options.encoder_width,
                                                  blocks(ResNet<BasicBlock>::Blocks{}), outputs);
    case LRCN_RESNET_BOTTLENECK:
      return std::make_unique<ResNet<Bottleneck>>(parameters, options.encoder_width,
                                                  blocks(ResNet<Bottleneck>::Blocks{}), outputs);
    default:
      return std::make_unique<EfficientNetLite>(parameters, options.encoder_width / 100.0,
                                                blocks(EfficientNetLite::Repeats{}), outputs);
  }
}

}  // namespace lrcn
