#include "max_pool.hpp"

#include <torch/csrc/autograd/custom_function.h>

namespace lrcn {
namespace {

constexpr int64_t kWindow = 3, kStride = 2, kPadding = 1, kDilation = 1;

struct MaxPool : torch::autograd::Function<MaxPool> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    const auto [out, indices] =
        at::max_pool2d_with_indices(x, kWindow, kStride, kPadding, kDilation, /*ceil_mode=*/false);
    context->save_for_backward({indices.to(at::kInt)});
    context->saved_data["shape"] = x.sizes();
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto indices = context->get_saved_variables()[0].to(at::kLong);
    // Only the input's shape is read.
    const auto x = at::empty(context->saved_data["shape"].toIntVector(), gradients[0].options(),
                             at::MemoryFormat::ChannelsLast);
    return {at::max_pool2d_with_indices_backward(gradients[0], x, kWindow, kStride, kPadding, kDilation,
                                                 /*ceil_mode=*/false, indices)};
  }
};

}  // namespace

at::Tensor max_pool(const at::Tensor& x) {
  return x.is_cpu() ? MaxPool::apply(x) : at::max_pool2d(x, kWindow, kStride, kPadding);
}

}  // namespace lrcn
