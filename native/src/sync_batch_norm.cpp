#include "sync_batch_norm.hpp"

#include <torch/csrc/autograd/custom_function.h>

namespace lrcn {
namespace {

const std::vector<int64_t> kPositions{0, 2, 3};

at::Tensor as_channels(const at::Tensor& values) { return values.view({1, -1, 1, 1}); }

/// bfloat16 is accumulated in float.
at::ScalarType sum_type(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

/// Count, mean and sum of squared differences of each channel.
struct Moments {
  at::Tensor count, mean, squares;

  /// Chan et al. 1983: accurate even if the means are far from 0.
  void merge(const Moments& other) {
    const auto all = count + other.count, distance = other.mean - mean;
    mean = mean + distance * (other.count / all);
    squares = squares + other.squares + distance.square() * (count * other.count / all);
    count = all;
  }
};

Moments all_moments(const at::Tensor& x, Group& group) {
  const int64_t channels = x.size(1);
  const auto values = x.to(at::kDouble);
  const auto mean = values.mean(kPositions);
  const auto squares = (values - as_channels(mean)).square().sum(kPositions);
  const auto count = at::full({1}, static_cast<double>(x.numel() / channels), mean.options());
  std::optional<Moments> all;
  for (const auto& part : group.gather(at::cat({count, mean, squares}))) {
    const Moments one{part.narrow(0, 0, 1), part.narrow(0, 1, channels), part.narrow(0, 1 + channels, channels)};
    all ? all->merge(one) : void(all = one);
  }
  return *all;
}

struct SyncBatchNorm : torch::autograd::Function<SyncBatchNorm> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const NormTensors& tensors, const NormOptions& options,
                            Group* group) {
    const auto moments = all_moments(x, *group);
    const auto variance = moments.squares / moments.count, unbiased = moments.squares / (moments.count - 1);
    at::Tensor(tensors.running_mean).mul_(1 - options.momentum).add_(moments.mean, options.momentum);
    at::Tensor(tensors.running_var).mul_(1 - options.momentum).add_(unbiased, options.momentum);
    const auto type = sum_type(x);
    const auto inverse = (variance + options.epsilon).rsqrt();
    const auto scale = inverse * weight.detach(), shift = bias.detach() - moments.mean * scale;
    context->save_for_backward({x, moments.count, moments.mean, inverse, weight.detach()});
    context->saved_data["group"] = reinterpret_cast<int64_t>(group);
    return (x.to(type) * as_channels(scale.to(type)) + as_channels(shift.to(type))).to(x.scalar_type());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &count = saved[1], &mean = saved[2], &inverse = saved[3], &weight = saved[4];
    auto& group = *reinterpret_cast<Group*>(context->saved_data["group"].toInt());
    const auto type = sum_type(x);
    const auto gradient = gradients[0].to(type);
    const auto normal = (x.to(type) - as_channels(mean.to(type))) * as_channels(inverse.to(type));
    const auto of_bias = gradient.sum(kPositions, false, at::kDouble);
    const auto of_weight = (gradient * normal).sum(kPositions, false, at::kDouble);
    // Each position contributes to the statistics of all ranks.
    const auto sums = at::stack({of_bias, of_weight});
    group.reduce(sums);
    const auto centered = gradient - as_channels((sums[0] / count).to(type)) - normal * as_channels((sums[1] / count).to(type));
    const auto of_x = centered * as_channels((inverse * weight).to(type));
    return {of_x.to(x.scalar_type()), of_weight.to(weight.scalar_type()), of_bias.to(weight.scalar_type()),
            at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor sync_batch_norm(const at::Tensor& x, const NormTensors& tensors, const at::Tensor& shortcut,
                             const NormOptions& options, Group& group) {
  auto out = SyncBatchNorm::apply(x, tensors.weight, tensors.bias, tensors, options, &group);
  if (shortcut.defined()) out = out + shortcut;
  switch (options.activation) {
    case Activation::kRelu: return out.relu();
    case Activation::kRelu6: return at::hardtanh(out, 0, 6);
    default: return out;
  }
}

}  // namespace lrcn
