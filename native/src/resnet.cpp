#include "resnet.hpp"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "max_pool.hpp"
#include "sync_batch_norm.hpp"

namespace lrcn {
namespace {

constexpr double kMomentum = 0.1;
constexpr double kEpsilon = 1e-5;

/// Kaiming's normal initialisation by fan-out, as torchvision initializes its ResNets.
at::Tensor convolution(Parameters& parameters, const std::string& name, int64_t inputs, int64_t outputs,
                       int64_t kernel) {
  const double fan_out = static_cast<double>(outputs * kernel * kernel);
  return parameters.normal(name + ".weight", {outputs, inputs, kernel, kernel}, std::sqrt(2 / fan_out));
}

}  // namespace

ResNet::BatchNorm::BatchNorm(Parameters& parameters, const std::string& name, int64_t channels)
    : tensors{parameters.constant(name + ".weight", {channels}, 1),
              parameters.constant(name + ".bias", {channels}, 0),
              parameters.buffer(name + ".running_mean", at::zeros({channels}, parameters.dtype())),
              parameters.buffer(name + ".running_var", at::ones({channels}, parameters.dtype()))},
      num_batches_tracked(parameters.buffer(name + ".num_batches_tracked", at::zeros({}, at::kLong))) {}

at::Tensor ResNet::BatchNorm::operator()(const at::Tensor& x, const Statistics& statistics, bool relu,
                                         const at::Tensor& shortcut) const {
  if (statistics.of_batch) at::Tensor(num_batches_tracked).add_(1);
  const NormOptions options{kMomentum, kEpsilon, statistics.of_batch, relu};
  if (!statistics.of_batch || statistics.group == nullptr) return batch_norm(x, tensors, shortcut, options);
  return sync_batch_norm(x, tensors, shortcut, options, *statistics.group);
}

ResNet::Bottleneck::Bottleneck(Parameters& parameters, const std::string& name, int64_t inputs, int64_t width,
                               int64_t stride_, bool project)
    : conv1(convolution(parameters, name + ".conv1", inputs, width, 1)),
      bn1(parameters, name + ".bn1", width),
      conv2(convolution(parameters, name + ".conv2", width, width, 3)),
      bn2(parameters, name + ".bn2", width),
      conv3(convolution(parameters, name + ".conv3", width, 4 * width, 1)),
      bn3(parameters, name + ".bn3", 4 * width),
      stride(stride_) {
  if (!project) return;
  shortcut = convolution(parameters, name + ".downsample.0", inputs, 4 * width, 1);
  shortcut_bn.emplace(parameters, name + ".downsample.1", 4 * width);
}

at::Tensor ResNet::Bottleneck::operator()(const at::Tensor& x, const Statistics& statistics) const {
  const auto identity =
      shortcut_bn
          ? (*shortcut_bn)(at::conv2d(x, shortcut, {}, /*stride=*/stride), statistics, /*relu=*/false)
          : x;
  auto out = bn1(at::conv2d(x, conv1), statistics, /*relu=*/true);
  out = bn2(at::conv2d(out, conv2, {}, /*stride=*/stride, /*padding=*/1), statistics, /*relu=*/true);
  return bn3(at::conv2d(out, conv3), statistics, /*relu=*/true, identity);
}

ResNet::ResNet(Parameters& parameters, int64_t width, const std::array<int32_t, 4>& blocks, int64_t outputs)
    : conv1_(convolution(parameters, "resnet.conv1", 3, width, 7)), bn1_(parameters, "resnet.bn1", width) {
  int64_t inputs = width;
  for (size_t layer = 0; layer < blocks.size(); ++layer) {
    const int64_t planes = width << layer;
    for (int32_t block = 0; block < blocks[layer]; ++block) {
      const auto name = "resnet.layer" + std::to_string(layer + 1) + "." + std::to_string(block);
      layers_[layer].emplace_back(parameters, name, inputs, planes, block == 0 && layer > 0 ? 2 : 1, block == 0);
      inputs = 4 * planes;
    }
  }
  std::tie(fc_weight_, fc_bias_) = parameters.linear("resnet.fc", inputs, outputs);
}

at::Tensor ResNet::grid(const at::Tensor& images, const Learning& learning, const CancelPoint& cancel) const {
  auto x = images;
  for (int32_t stage = 0; stage < kStages; ++stage) {
    const bool learns = stage >= learning.from;
    const Statistics statistics{learns && learning.batch_norm, learning.group};
    const at::AutoGradMode grad(at::GradMode::is_enabled() && learns);
    if (stage == 0) {
      x = bn1_(at::conv2d(x, conv1_, {}, /*stride=*/2, /*padding=*/3), statistics, /*relu=*/true);
      x = max_pool(x);
      continue;
    }
    for (const auto& block : layers_[static_cast<size_t>(stage - 1)]) {
      cancel.check();
      x = block(x, statistics);
    }
  }
  return x;
}

at::Tensor ResNet::average(const at::Tensor& grid) { return at::adaptive_avg_pool2d(grid, {1, 1}).flatten(1); }

at::Tensor ResNet::project(const at::Tensor& pooled) const { return at::linear(pooled, fc_weight_, fc_bias_); }

}  // namespace lrcn
