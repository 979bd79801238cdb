#include "cross_entropy.hpp"

#include <torch/csrc/autograd/custom_function.h>

namespace lrcn {
namespace {

struct CrossEntropy : torch::autograd::Function<CrossEntropy> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& logits,
                            const at::Tensor& given_targets, double smoothing) {
    const auto counts = given_targets.ne(kNoTarget);
    const auto targets = given_targets.clamp_min(0).unsqueeze(1);
    const auto log_sum = logits.logsumexp(1);
    auto loss = log_sum - (1 - smoothing) * logits.gather(1, targets).squeeze(1);
    if (smoothing > 0) loss = loss - smoothing * logits.mean(1);
    context->save_for_backward({logits, log_sum, targets, counts});
    context->saved_data["smoothing"] = smoothing;
    return loss.mul_(counts);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &logits = saved[0], &log_sum = saved[1], &targets = saved[2], &counts = saved[3];
    const double smoothing = context->saved_data["smoothing"].toDouble();
    const at::NoGradGuard no_grad;
    auto gradient = logits.detach().sub_(log_sum.unsqueeze(1)).exp_();
    gradient.scatter_add_(1, targets, at::full_like(targets, smoothing - 1, gradient.options()));
    if (smoothing > 0) gradient.sub_(smoothing / static_cast<double>(gradient.size(1)));
    return {gradient.mul_((gradients[0] * counts).unsqueeze(1)), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets, double label_smoothing) {
  return CrossEntropy::apply(logits, targets, label_smoothing);
}

}  // namespace lrcn
