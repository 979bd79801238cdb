#include "sync_batch_norm.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "group.hpp"

namespace lrcn {
namespace {

struct SyncBatchNorm : torch::autograd::Function<SyncBatchNorm> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& given, const at::Tensor& weight,
                            const at::Tensor& bias, const NormTensors& tensors, const NormOptions& options) {
    const auto x = given.contiguous(given.suggest_memory_format());
    const int64_t channels = x.size(1);
    const auto [own_mean, own_inverse] = at::batch_norm_stats(x, options.epsilon);
    const auto own_rows = at::full({1}, x.numel() / channels, own_mean.options());
    const auto all = at::stack(options.group->gather(at::cat({own_mean, own_inverse, own_rows})));
    const auto rows = all.select(1, 2 * channels).contiguous();
    const auto [mean, inverse] = at::batch_norm_gather_stats_with_counts(
        x, all.narrow(1, 0, channels).contiguous(), all.narrow(1, channels, channels).contiguous(),
        tensors.running_mean, tensors.running_var, options.momentum, options.epsilon, rows);
    context->save_for_backward({x, weight.detach(), mean, inverse, rows.to(at::kInt)});
    context->saved_data["group"] = reinterpret_cast<int64_t>(options.group);
    return at::batch_norm_elemt(x, weight.detach(), bias.detach(), mean, inverse, options.epsilon);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &inverse = saved[3], &rows = saved[4];
    auto& group = *reinterpret_cast<Group*>(context->saved_data["group"].toInt());
    const auto gradient = gradients[0].contiguous(x.suggest_memory_format());
    const auto [sum, product, of_weight, of_bias] =
        at::batch_norm_backward_reduce(gradient, x, mean, inverse, weight, /*input_g=*/true, /*weight_g=*/true,
                                       /*bias_g=*/true);
    // Each position contributes to the statistics of all ranks.
    const auto sums = at::stack({sum, product});
    group.reduce(sums);
    return {at::batch_norm_backward_elemt(gradient, x, mean, inverse, weight, sums[0], sums[1], rows),
            of_weight, of_bias, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor sync_batch_norm(const at::Tensor& x, const NormTensors& tensors, const NormOptions& options) {
  return SyncBatchNorm::apply(x, tensors.weight, tensors.bias, tensors, options);
}

}  // namespace lrcn
